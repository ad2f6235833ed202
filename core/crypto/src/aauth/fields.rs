//! Header fields, as clients in use write them: dictionaries are divided by hand, because one member that
//! nobody understands must not spoil the others, and because what is signed is the text as it was sent.

use super::Profile;
use super::fault::{FaultCode, SignatureFault};
use sfv::{Dictionary, ListEntry, Parser};

/// The longest signature field that is looked at, in bytes. `Signature-Key` may hold a JWT.
pub(super) const FIELD_MAX: usize = 16 * 1024;
/// The most members of a field that are looked at.
const MEMBERS_MAX: usize = 8;

/// A member of a dictionary, as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// Its key: a signature's label.
    pub(super) label: &'a str,
    /// What stands behind `=`.
    pub(super) raw: &'a str,
}

impl Member<'_> {
    /// Its value. Base64 of byte sequences is taken in either alphabet where the profile is lenient.
    pub(super) fn value(&self, profile: Profile) -> Option<ListEntry> {
        let text = format!("{}={}", self.label, self.raw);
        let text = if profile.is_compatible() { standard_base64(&text) } else { text };
        let members: Dictionary = Parser::new(&text).parse().ok()?;
        members.into_iter().next().map(|(_, value)| value)
    }
}

/// Divides a dictionary. Two members of one name are refused: each reader would choose another.
pub(super) fn members(field: &str) -> Result<Vec<Member<'_>>, SignatureFault> {
    let malformed = || unreadable("a signature field is no dictionary");
    if field.len() > FIELD_MAX {
        return Err(unreadable("a signature field is too long"));
    }
    let mut members: Vec<Member<'_>> = Vec::new();
    for text in split_members(field) {
        let (label, raw) = text.split_once('=').ok_or_else(malformed)?;
        let plain = |b: u8| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.' | b'*')
        };
        let repeated = members.iter().any(|member| member.label == label);
        if label.is_empty() || !label.bytes().all(plain) || repeated {
            return Err(malformed());
        }
        if members.len() == MEMBERS_MAX {
            return Err(unreadable("a signature field has too many members"));
        }
        members.push(Member { label, raw });
    }
    Ok(members)
}

pub(super) const fn unreadable(detail: &'static str) -> SignatureFault {
    SignatureFault::new(FaultCode::InvalidRequest, detail)
}

/// The texts between commas that stand outside of quotes.
fn split_members(field: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    field
        .split(move |c: char| {
            let divides = c == ',' && !quoted;
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ => {}
            }
            divides
        })
        .map(|member| member.trim_matches([' ', '\t']))
}

/// The same text with the byte sequences (`:...:`, outside of quotes) in the alphabet of RFC 4648 section
/// 4, padded: some clients use the other alphabet, and some leave the padding out.
pub(super) fn standard_base64(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let (mut quoted, mut escaped) = (false, false);
    let mut inside: Option<usize> = None;
    for c in text.chars() {
        match (c, inside) {
            (':', Some(length)) => {
                out.extend(std::iter::repeat_n('=', (4 - length % 4) % 4));
                out.push(':');
                inside = None;
            }
            ('=', Some(_)) => {}
            (c, Some(length)) => {
                out.push(match c {
                    '-' => '+',
                    '_' => '/',
                    other => other,
                });
                inside = Some(length + 1);
            }
            (c, None) => {
                match c {
                    _ if escaped => escaped = false,
                    '\\' if quoted => escaped = true,
                    '"' => quoted = !quoted,
                    ':' if !quoted => inside = Some(0),
                    _ => {}
                }
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(field: &str) -> Result<Vec<(&str, &str)>, FaultCode> {
        let members = members(field).map_err(|fault| fault.code)?;
        Ok(members.iter().map(|member| (member.label, member.raw)).collect())
    }

    #[test]
    fn commas_divide_outside_of_quotes_alone() {
        assert_eq!(
            labels(r#"sig=hwk;x="a,\",b" ,  b2=:AA==:"#),
            Ok(vec![("sig", r#"hwk;x="a,\",b""#), ("b2", ":AA==:")])
        );
        for bad in ["", "a", "a=1,a=2", "a=1,", "A=1", "a b=1", &"a".repeat(FIELD_MAX + 1)] {
            assert_eq!(labels(bad), Err(FaultCode::InvalidRequest), "{bad:.20}");
        }
        let many: Vec<_> = (0..9).map(|n| format!("a{n}=1")).collect();
        assert_eq!(labels(&many.join(",")), Err(FaultCode::InvalidRequest));
    }

    #[test]
    fn byte_sequences_are_read_in_either_alphabet_and_nothing_else_changes() {
        assert_eq!(standard_base64(r#"a-_=:-_-_:;b="-_:x-:""#), r#"a-_=:+/+/:;b="-_:x-:""#);
        assert_eq!(standard_base64("a=:AA:, b=:AAA=:, c=:AAAA:"), "a=:AA==:, b=:AAA=:, c=:AAAA:");
        let member = Member { label: "s", raw: ":-_8:" };
        assert!(member.value(Profile::Compatible).is_some());
        assert!(member.value(Profile::Strict).is_none());
    }
}
