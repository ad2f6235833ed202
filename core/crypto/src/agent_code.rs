//! The code that lets one agent in: `lfa1.<name>.<secret>`.
//!
//! Agents' own clients hand it to the server whole, in a field that they have for whatever a provider
//! wants, so it carries no secret but the half that the server may see. The client that makes it derives
//! that half, and the server keeps its hash alone.

use crate::door::{AuthHalf, DoorSecret};
use crate::secret::SecretText;
use landfall_identity::id::AgentCodeId;
use zeroize::Zeroizing;

const HEAD: &str = "lfa1";
/// The longest text that is looked at, in bytes.
const TEXT_MAX: usize = 256;

/// The text is no such code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no code for an agent: those begin with lfa1.")]
pub struct AgentCodeError;

/// A code for an agent.
#[derive(Clone)]
pub struct AgentCodeText {
    /// Its public name.
    pub id: AgentCodeId,
    /// What opens.
    pub auth: AuthHalf,
}

impl AgentCodeText {
    /// The code of this name with this secret.
    pub fn new(id: AgentCodeId, secret: &DoorSecret) -> Self {
        Self { id, auth: secret.auth() }
    }

    /// Reads a code; white space around it and line breaks of a paste are forgiven.
    ///
    /// # Errors
    /// [`AgentCodeError`].
    pub fn parse(text: &str) -> Result<Self, AgentCodeError> {
        if text.len() > TEXT_MAX {
            return Err(AgentCodeError);
        }
        let text: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(AgentCodeError);
        if part()? != HEAD {
            return Err(AgentCodeError);
        }
        let id = AgentCodeId::parse(part()?).map_err(|_| AgentCodeError)?;
        let auth = AuthHalf::parse(part()?).map_err(|_| AgentCodeError)?;
        match parts.next() {
            None => Ok(Self { id, auth }),
            Some(_) => Err(AgentCodeError),
        }
    }

    /// The text.
    pub fn to_text(&self) -> SecretText {
        Zeroizing::new(format!("{HEAD}.{}.{}", self.id, self.auth.to_text().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemRandom;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_back_also_from_a_broken_line() {
        let secret = DoorSecret::generate(&SystemRandom);
        let code = AgentCodeText::new(AgentCodeId::from_bits([7; 16]), &secret);
        let text = code.to_text();
        let (first, second) = text.split_at(40);
        for typed in [text.to_string(), format!(" {first}\n{second}\n")] {
            let read = AgentCodeText::parse(&typed).unwrap();
            assert_eq!(read.id, code.id);
            assert!(read.auth.matches(&secret.auth().hash()));
        }
        for bad in ["", "lfa1", "lf1.x.y", &format!("{}.x", text.as_str()), &text[..60]] {
            assert!(AgentCodeText::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,300}") {
            let _ = AgentCodeText::parse(&text);
            let _ = AgentCodeText::parse(&format!("{HEAD}.{text}"));
        }
    }
}
