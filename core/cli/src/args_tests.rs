use super::*;
use clap::{Command, CommandFactory};

/// Every line of every help that shows a command.
fn examples(command: &Command, found: &mut Vec<String>) {
    if let Some(help) = command.get_after_help() {
        let help = help.to_string();
        let lines = help.lines().map(str::trim).filter(|line| line.starts_with("landfall "));
        // In the top help an explanation stands behind two spaces.
        found.extend(lines.map(|line| line.split("  ").next().unwrap_or(line).to_owned()));
    }
    for sub in command.get_subcommands() {
        examples(sub, found);
    }
}

/// Splits a line as a shell does, for plain words and double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn every_example_in_the_help_can_be_typed() {
    let mut found = vec![];
    examples(&Args::command(), &mut found);
    assert!(found.len() > 40, "only {} examples", found.len());
    for line in found {
        let parsed = Args::try_parse_from(words(&line));
        assert!(parsed.is_ok(), "{line}\n{}", parsed.unwrap_err());
    }
}

#[test]
fn every_verb_shows_an_example() {
    fn check(command: &Command, path: &str) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name());
            let leaf = sub.get_subcommands().next().is_none();
            let shown = sub.get_after_help().or(command.get_after_help()).is_some();
            assert!(!leaf || shown, "{path}");
            check(sub, &path);
        }
    }
    check(&Args::command(), "landfall");
    Args::command().debug_assert();
}

#[test]
fn flags_before_and_after_the_code_both_work() {
    let token = "lf1.a.b.c";
    for line in [
        vec!["landfall", "enroll", "--user", "bert", "--device", "x1", token],
        vec!["landfall", "enroll", token, "--user", "bert", "--device", "x1"],
        vec!["landfall", "enroll", "--user", "bert", token, "--device", "x1"],
        vec!["landfall", "--yes", "enroll", token, "--user=bert", "--device=x1", "--json"],
    ] {
        let Verb::Enroll(args) = Args::try_parse_from(&line).unwrap().verb else { panic!() };
        assert_eq!(args.token.as_deref(), Some(token), "{line:?}");
        assert_eq!(args.user.unwrap().as_str(), "bert");
        assert_eq!(args.device.unwrap().as_str(), "x1");
    }
    let refused = ["landfall", "enroll", token, "--usr", "bert"];
    assert!(Args::try_parse_from(refused).is_err(), "a misspelt flag fails loudly");
}

#[test]
fn deleting_says_what() {
    let parse = |line: &str| Args::try_parse_from(words(line));
    let told = parse("landfall secret delete wifi").unwrap_err().to_string();
    assert!(told.contains("--version <VERSION>|--all-versions"), "{told}");
    assert!(parse("landfall secret delete wifi --version 1 --all-versions").is_err());
    assert!(parse("landfall secret delete wifi --version 1").is_ok());
}

#[test]
fn what_is_signed_has_a_method() {
    let parse = |method| {
        let words = ["landfall", "agent", "sign", method, "https://a.example.org/"];
        Args::try_parse_from(words).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!((parse("GET"), parse("VERSION-CONTROL")), (Ok(()), Ok(())));
    for bad in ["get", "Post", "", "GET /"] {
        assert!(parse(bad).unwrap_err().contains("upper case"), "{bad}");
    }
}

#[test]
fn durations_are_read_and_nonsense_is_refused() {
    assert_eq!(duration("10m"), Ok(Seconds::minutes(10)));
    assert_eq!(duration("3d"), Ok(Seconds::days(3)));
    for bad in
        ["", "m", "0m", "-1m", "10", "10w", "ä", "99999999999999999999d", "999999999999999999d"]
    {
        assert!(duration(bad).is_err(), "{bad}");
    }
    // Well written, and no lifetime all the same.
    assert!(duration("0s").unwrap_err().contains("the least is 1s"));
}
