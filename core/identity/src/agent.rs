//! Names of agents: `aauth:local@domain` (AAuth, "Agent Identifier").
//!
//! The local part holds `a-z 0-9 - _ + .`, 1 to 255 of them; `+` is kept for sub-agents, one level deep.
//! Identifiers are compared exactly: upper case is refused and never folded.
//!
//! **One rule maps a local part to the name and the instance of a SPIFFE ID**, and back:
//!
//! | local part | name | instance |
//! |---|---|---|
//! | `builder.7f3k` (the last dot divides) | `builder` | `7f3k` |
//! | `builder` (no dot that divides) | `builder` | `MAIN` |
//! | `builder.7f3k+scan` (a sub-agent) | `builder` | `7f3k.scan` |
//! | `builder+scan` | `builder` | `MAIN.scan` |
//!
//! No two local parts meet: `MAIN` is upper case, which no local part can hold, and what stands before
//! the first dot of an instance never holds one itself.

use crate::spiffe::Segment;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest local part, in bytes.
pub const LOCAL_MAX: usize = 255;
/// The longest domain, in bytes (RFC 1035 section 2.3.4).
pub const DOMAIN_MAX: usize = 253;

const SCHEME: &str = "aauth:";
/// The instance of an agent whose local part names none.
const ONLY_INSTANCE: &str = "MAIN";

/// Why a text names no agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgentIdError {
    /// Not `aauth:local@domain`.
    #[error("an agent's name reads aauth:local@domain")]
    Shape,
    /// A local part outside `[a-z0-9_.+-]{1,255}`.
    #[error(
        "the part before @ may hold 1 to 255 of a-z, 0-9, '-', '_', '.', and '+' in sub-agents"
    )]
    Local,
    /// More than one `+`, or nothing on one side of it.
    #[error("a sub-agent reads parent+name, and has no sub-agents of its own")]
    SubAgent,
    /// No host name in lower case.
    #[error("the part behind @ must be a host name in lower case")]
    Domain,
    /// It is an agent's name, and no SPIFFE ID can hold it.
    #[error(
        "this name does not fit into a SPIFFE ID: it is too long, or its name is a dot segment"
    )]
    Spiffe,
}

/// The name of an agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentId {
    text: String,
    /// Where `@` stands.
    at: usize,
}

impl AgentId {
    /// Parses the text form.
    ///
    /// # Errors
    /// [`AgentIdError`] says which rule the text breaks.
    pub fn parse(text: impl Into<String>) -> Result<Self, AgentIdError> {
        let text = text.into();
        let rest = text.strip_prefix(SCHEME).ok_or(AgentIdError::Shape)?;
        let (local, domain) = rest.split_once('@').ok_or(AgentIdError::Shape)?;
        check_local(local)?;
        check_domain(domain)?;
        let at = SCHEME.len() + local.len();
        Ok(Self { text, at })
    }

    /// Joins a local part and a domain.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn new(local: &str, domain: &str) -> Result<Self, AgentIdError> {
        Self::parse(format!("{SCHEME}{local}@{domain}"))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before `@`.
    pub fn local(&self) -> &str {
        &self.text[SCHEME.len()..self.at]
    }

    /// What stands behind `@`: the host of the provider that issued it.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// Whether another agent made this one.
    pub fn is_sub_agent(&self) -> bool {
        self.local().contains('+')
    }

    /// The agent that made it, for a sub-agent.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.local().split_once('+')?;
        Self::new(parent, self.domain()).ok()
    }

    /// The name of a sub-agent of this one.
    ///
    /// # Errors
    /// [`AgentIdError::SubAgent`] when this is a sub-agent itself or `discriminator` is empty,
    /// [`AgentIdError::Local`] when the result would break the alphabet or the length.
    pub fn sub_agent(&self, discriminator: &str) -> Result<Self, AgentIdError> {
        Self::new(&format!("{}+{discriminator}", self.local()), self.domain())
    }

    /// Name and instance of its SPIFFE ID, by the rule of this module.
    ///
    /// # Errors
    /// [`AgentIdError::Spiffe`] when they are no SPIFFE segments.
    pub fn segments(&self) -> Result<(Segment, Segment), AgentIdError> {
        let (base, discriminator) = match self.local().split_once('+') {
            Some((base, discriminator)) => (base, Some(discriminator)),
            None => (self.local(), None),
        };
        let (name, instance) = match base.rsplit_once('.') {
            Some((name, tail)) if !name.is_empty() && !tail.is_empty() => (name, tail),
            _ => (base, ONLY_INSTANCE),
        };
        let instance = match discriminator {
            Some(discriminator) => format!("{instance}.{discriminator}"),
            None => instance.to_owned(),
        };
        let segment = |text: &str| Segment::parse(text).map_err(|_| AgentIdError::Spiffe);
        Ok((segment(name)?, segment(&instance)?))
    }

    /// The agent of `domain` that has this name and instance: the other way of [`Self::segments`].
    ///
    /// # Errors
    /// [`AgentIdError`] when no agent has them.
    pub fn from_segments(
        name: &Segment,
        instance: &Segment,
        domain: &str,
    ) -> Result<Self, AgentIdError> {
        let (tail, discriminator) = match instance.as_str().split_once('.') {
            Some((tail, discriminator)) => (tail, Some(discriminator)),
            None => (instance.as_str(), None),
        };
        let mut local = name.to_string();
        if tail != ONLY_INSTANCE {
            local = format!("{local}.{tail}");
        }
        if let Some(discriminator) = discriminator {
            local = format!("{local}+{discriminator}");
        }
        let id = Self::new(&local, domain)?;
        // Another spelling of the same name would be a second SPIFFE ID for one agent.
        if id.segments()? == (name.clone(), instance.clone()) {
            Ok(id)
        } else {
            Err(AgentIdError::Spiffe)
        }
    }
}

fn check_local(local: &str) -> Result<(), AgentIdError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.+".contains(&b);
    if !(1..=LOCAL_MAX).contains(&local.len()) || !local.bytes().all(plain) {
        return Err(AgentIdError::Local);
    }
    match local.split('+').collect::<Vec<_>>()[..] {
        [_] => Ok(()),
        [parent, discriminator] if !parent.is_empty() && !discriminator.is_empty() => Ok(()),
        _ => Err(AgentIdError::SubAgent),
    }
}

fn check_domain(domain: &str) -> Result<(), AgentIdError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = domain.len() <= DOMAIN_MAX && domain.split('.').all(label);
    if fits { Ok(()) } else { Err(AgentIdError::Domain) }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for AgentId {
    type Err = AgentIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for AgentId {
    type Error = AgentIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl From<AgentId> for String {
    fn from(id: AgentId) -> String {
        id.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(local: &str) -> Result<AgentId, AgentIdError> {
        AgentId::new(local, "id.example.org")
    }

    #[test]
    fn a_name_is_taken_exactly_or_not_at_all() {
        let agent = AgentId::parse("aauth:builder.7f3k+scan@id.example.org").unwrap();
        assert_eq!((agent.local(), agent.domain()), ("builder.7f3k+scan", "id.example.org"));
        assert_eq!(agent.parent().unwrap(), id("builder.7f3k").unwrap());
        assert_eq!(agent.to_string().parse(), Ok(agent));
        assert!(id(&"a".repeat(LOCAL_MAX)).is_ok());
        for (text, why) in [
            ("aauth:a", AgentIdError::Shape),
            ("AAUTH:a@b", AgentIdError::Shape),
            ("a@b", AgentIdError::Shape),
            ("aauth:@b", AgentIdError::Local),
            ("aauth:A@b", AgentIdError::Local),
            ("aauth:a b@b", AgentIdError::Local),
            ("aauth:a/b@b", AgentIdError::Local),
            ("aauth:a%2fb@b", AgentIdError::Local),
            ("aauth:a+@b", AgentIdError::SubAgent),
            ("aauth:+a@b", AgentIdError::SubAgent),
            ("aauth:a+b+c@b", AgentIdError::SubAgent),
            ("aauth:a@", AgentIdError::Domain),
            ("aauth:a@B", AgentIdError::Domain),
            ("aauth:a@b:443", AgentIdError::Domain),
            ("aauth:a@b@c", AgentIdError::Domain),
            ("aauth:a@b..c", AgentIdError::Domain),
            ("aauth:a@-b", AgentIdError::Domain),
            ("aauth:a@b/", AgentIdError::Domain),
        ] {
            assert_eq!(AgentId::parse(text), Err(why), "{text}");
        }
        assert_eq!(id(&"a".repeat(LOCAL_MAX + 1)), Err(AgentIdError::Local));
    }

    #[test]
    fn sub_agents_are_one_level_deep() {
        let parent = id("builder").unwrap();
        let child = parent.sub_agent("scan").unwrap();
        assert!(child.is_sub_agent() && !parent.is_sub_agent());
        assert_eq!((child.parent(), parent.parent()), (Some(parent.clone()), None));
        assert_eq!(child.sub_agent("deeper"), Err(AgentIdError::SubAgent));
        assert_eq!(parent.sub_agent(""), Err(AgentIdError::SubAgent));
        assert_eq!(parent.sub_agent("a@b"), Err(AgentIdError::Domain));
    }

    #[test]
    fn one_rule_maps_local_parts_to_spiffe_and_back() {
        for (local, name, instance) in [
            ("builder.7f3k", "builder", "7f3k"),
            ("builder", "builder", "MAIN"),
            ("builder.7f3k+scan", "builder", "7f3k.scan"),
            ("builder+scan.two", "builder", "MAIN.scan.two"),
            ("a.b.c", "a.b", "c"),
            ("a.", "a.", "MAIN"),
            (".a", ".a", "MAIN"),
        ] {
            let agent = id(local).unwrap();
            let (n, i) = agent.segments().unwrap();
            assert_eq!((n.as_str(), i.as_str()), (name, instance), "{local}");
            assert_eq!(AgentId::from_segments(&n, &i, "id.example.org"), Ok(agent));
        }
        for local in ["..", ".", "...a", &"a".repeat(254)] {
            assert_eq!(id(local).unwrap().segments(), Err(AgentIdError::Spiffe), "{local}");
        }
    }

    #[test]
    fn segments_that_no_agent_has_name_none() {
        let segment = |text: &str| Segment::parse(text).unwrap();
        for (name, instance) in [("A", "MAIN"), ("a", "main."), ("a", "MAIN."), ("a.b", "MAIN")] {
            let found = AgentId::from_segments(&segment(name), &segment(instance), "b");
            assert!(found.is_err(), "{name} {instance}: {found:?}");
        }
    }
}
