//! Times on the wire.

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;
use landfall_identity::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time on the wire: RFC 3339 in UTC, such as `2026-11-21T14:32:00Z` (RFC 3339, section
/// 5.6). Milliseconds are written when there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS, utoipa::ToSchema)]
#[ts(export, type = "string")]
#[schema(value_type = String, format = DateTime)]
pub struct At(pub Timestamp);

impl At {
    /// The text form; `None` outside the years that RFC 3339 can write.
    pub fn to_text(self) -> Option<String> {
        let nanos = i128::from(self.0.millis()) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?.format(&Rfc3339).ok()
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let millis = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok()?;
        Some(Self(Timestamp::from_millis(millis)))
    }
}

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_text().ok_or_else(|| serde::ser::Error::custom("time out of range"))?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_and_read_in_any_zone() {
        let at = At(Timestamp::from_millis(1_763_735_520_250));
        let text = at.to_text().unwrap();
        assert_eq!(text, "2025-11-21T14:32:00.25Z");
        assert_eq!(At::parse(&text), Some(at));
        assert_eq!(At::parse("2025-11-21T15:32:00.25+01:00"), Some(at));
        assert_eq!(At::parse("yesterday"), None);
    }
}
