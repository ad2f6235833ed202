//! QR codes made of characters.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Black squares on white whatever the terminal's own colours are: not every camera reads the reverse.
const BLACK_ON_WHITE: &str = "\u{1b}[30;107m";
const PLAIN: &str = "\u{1b}[0m";

/// A QR code as lines of characters.
pub struct Drawn {
    /// The lines.
    pub text: String,
    /// How many columns and rows they take.
    pub size: (usize, usize),
}

/// The text as a QR code, two squares a character; `None` when it is too long for one.
pub fn qr(text: &str) -> Option<Drawn> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code.render::<Dense1x2>().quiet_zone(true).build();
    let columns = drawn.lines().map(|line| line.chars().count()).max()?;
    let size = (columns, drawn.lines().count());
    let lines = drawn.lines().map(|line| format!("{BLACK_ON_WHITE}{line}{PLAIN}"));
    Some(Drawn { text: lines.collect::<Vec<_>>().join("\n"), size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_fits_and_a_book_does_not() {
        assert!(qr(&"lf1.x".repeat(100)).is_some());
        assert!(qr(&"x".repeat(3000)).is_none());
    }

    #[test]
    fn dark_squares_are_black_within_a_white_margin() {
        let code = qr("lf1.x").unwrap();
        let lines: Vec<_> = code.text.lines().collect();
        let inside = |line: &str| {
            let cut = line.strip_prefix(BLACK_ON_WHITE).and_then(|line| line.strip_suffix(PLAIN));
            cut.unwrap().to_owned()
        };
        assert!(lines.iter().all(|line| inside(line).chars().count() == code.size.0));
        assert_eq!(lines.len(), code.size.1);
        assert!(inside(lines[0]).chars().all(|margin| margin == ' '));
        assert!(inside(lines[2]).starts_with("    \u{2588}\u{2580}\u{2580}"), "a finder's corner");
    }
}
