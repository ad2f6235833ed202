//! Counting what a test runner ran, from what it printed.

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

impl Tally {
    /// One check that holds.
    pub const PASS: Self = Self { passed: 1, failed: 0 };
    /// One check that does not.
    pub const FAIL: Self = Self { passed: 0, failed: 1 };

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }

    /// What `output` says was run; `None` when it has no closing line of a runner that we know
    /// (cargo test, Vitest, Node's own runner).
    pub fn read(output: &str) -> Option<Self> {
        output
            .lines()
            .filter_map(|line| {
                let line = without_colours(line);
                let line = line.trim();
                cargo(line).or_else(|| vitest(line)).or_else(|| node(line))
            })
            .reduce(Self::plus)
    }

    /// The verdict on a runner that printed `output` and exited with `success`. A runner that ran
    /// nothing, or that failed without a failed test (it did not build, it crashed), counts as one
    /// failure: silence is no success.
    pub fn judge(output: &str, success: bool) -> Self {
        let counted = Self::read(output).unwrap_or_default();
        if counted.failed == 0 && (!success || counted.passed == 0) {
            return counted.plus(Self::FAIL);
        }
        counted
    }
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; ...`
fn cargo(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("test result: ")?;
    let (_, counts) = rest.split_once(". ")?;
    let count = |word| counts.split(';').find_map(|part| number_before(part, word));
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

/// `Tests  1 failed | 11 passed (12)`
fn vitest(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("Tests ")?;
    let counts = rest.rsplit_once('(')?.0;
    let count = |word| counts.split('|').find_map(|part| number_before(part, word));
    Some(Tally { passed: count("passed").unwrap_or(0), failed: count("failed").unwrap_or(0) })
}

/// `# pass 12` and `# fail 0`, one line each; the sign depends on the reporter.
fn node(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
    let (word, number) = rest.split_once(' ')?;
    let number = number.trim().parse().ok()?;
    match word {
        "pass" => Some(Tally { passed: number, failed: 0 }),
        "fail" | "cancelled" => Some(Tally { passed: 0, failed: number }),
        _ => None,
    }
}

fn number_before(part: &str, word: &str) -> Option<u64> {
    part.trim().strip_suffix(word)?.trim().parse().ok()
}

/// `line` without terminal escape sequences.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            chars.find(char::is_ascii_alphabetic);
        } else {
            plain.push(char);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_every_binary_of_cargo_test() {
        let output = "\
            running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
            test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(Tally::read(output), Some(Tally { passed: 5, failed: 1 }));
    }

    #[test]
    fn reads_vitest_with_and_without_failures() {
        let green = " Test Files  3 passed (3)\n\u{1b}[2m      Tests \u{1b}[22m \u{1b}[32m12 passed\u{1b}[39m (12)\n";
        assert_eq!(Tally::read(green), Some(Tally { passed: 12, failed: 0 }));
        let red = "      Tests  1 failed | 11 passed | 2 skipped (14)\n";
        assert_eq!(Tally::read(red), Some(Tally { passed: 11, failed: 1 }));
    }

    #[test]
    fn reads_both_reporters_of_node() {
        let tap = "# tests 3\n# suites 1\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 0\n";
        assert_eq!(Tally::read(tap), Some(Tally { passed: 2, failed: 1 }));
        let spec = "ℹ tests 3\nℹ pass 3\nℹ fail 0\nℹ cancelled 0\n";
        assert_eq!(Tally::read(spec), Some(Tally { passed: 3, failed: 0 }));
    }

    #[test]
    fn silence_is_no_success() {
        assert_eq!(Tally::judge("", true), Tally::FAIL);
        let none = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out";
        assert_eq!(Tally::judge(none, true), Tally::FAIL);
    }

    #[test]
    fn a_crash_after_green_tests_is_a_failure() {
        let output = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Tally::judge(output, false), Tally { passed: 2, failed: 1 });
        assert_eq!(Tally::judge(output, true), Tally { passed: 2, failed: 0 });
    }
}
