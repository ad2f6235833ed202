//! Times as people read them: on the clock of the wall they stand at.

use jiff::tz::TimeZone;
use landfall_client::words::Ambient;
use landfall_protocol::At;

/// "14:32" today, "Mon 23 Nov 14:32" on another day, in this machine's zone.
pub fn clock_time(at: At) -> String {
    text_in(at, At(Ambient::system().now()), &TimeZone::system())
}

/// A text of the server's with its times as people read them.
pub fn with_clock_times(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches(['.', ',', ';', ')']);
        match At::parse(bare) {
            Some(at) => format!("{}{}", clock_time(at), &word[bare.len()..]),
            None => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn text_in(at: At, now: At, zone: &TimeZone) -> String {
    let zoned = |at: At| {
        let at = jiff::Timestamp::from_millisecond(at.0.millis()).ok()?;
        Some(at.to_zoned(zone.clone()))
    };
    let (Some(at), Some(now)) = (zoned(at), zoned(now)) else { return "-".to_owned() };
    let format = match (at.date() == now.date(), at.year() == now.year()) {
        (true, _) => "%H:%M",
        (false, true) => "%a %-d %b %H:%M",
        (false, false) => "%-d %b %Y %H:%M",
    };
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_client::words::Timestamp;

    #[test]
    fn times_in_a_text_are_put_on_the_wall() {
        let text = with_clock_times("It may from 2025-11-22T14:38:40.378Z. Not 12:00, see 2.1.");
        assert!(!text.contains("2025-11-22T") && text.ends_with(". Not 12:00, see 2.1."), "{text}");
    }

    #[test]
    fn today_is_a_clock_time_and_other_days_are_named() {
        let at = |seconds| At(Timestamp::from_seconds(seconds));
        let now = at(1_763_735_520);
        let zone = TimeZone::UTC;
        assert_eq!(text_in(at(1_763_735_520), now, &zone), "14:32");
        assert_eq!(text_in(at(1_763_735_520 + 86_400), now, &zone), "Sat 22 Nov 14:32");
        assert_eq!(text_in(at(1_763_735_520 + 86_400 * 365), now, &zone), "21 Nov 2026 14:32");
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(text_in(at(1_763_735_520), now, &east), "16:32");
    }
}
