//! SPIFFE IDs: the only text form of a principal.
//!
//! Strict, after the SPIFFE-ID specification (section 2): lower-case trust domain, no empty or dot
//! segments, no percent-encoding, no query or fragment, at most 2048 bytes. An unknown shape is an
//! error and never half-read as another kind.

use crate::name::{DeviceName, TenantName, UserName, text_type};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest SPIFFE ID, in bytes (SPIFFE-ID, section 2.3).
pub const SPIFFE_ID_MAX: usize = 2048;
/// The longest trust domain, in bytes (SPIFFE-ID, section 2.1).
pub const TRUST_DOMAIN_MAX: usize = 255;
/// The longest workload or agent segment, in bytes (Kubernetes' own limit for names).
pub const SEGMENT_MAX: usize = 253;

const SCHEME: &str = "spiffe://";

/// Why a text is not a SPIFFE ID of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpiffeError {
    /// Over [`SPIFFE_ID_MAX`] bytes.
    #[error("it is longer than 2048 bytes")]
    TooLong,
    /// Not `spiffe://`, in lower case.
    #[error("it does not begin with spiffe://")]
    Scheme,
    /// A trust domain outside `[a-z0-9._-]{1,255}`.
    #[error("its trust domain may hold only lower-case letters, digits, '.', '_' and '-'")]
    TrustDomain,
    /// A segment that is empty, a dot segment, too long, or outside the alphabet.
    #[error("one of its path segments is empty, too long or holds a character that is not allowed")]
    Segment,
    /// A path that is none of the four principals.
    #[error("its path names none of the four kinds of principal")]
    Kind,
}

fn check_trust_domain(text: &str) -> Result<(), SpiffeError> {
    let fits = (1..=TRUST_DOMAIN_MAX).contains(&text.len())
        && text.bytes().all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-')
        });
    if fits { Ok(()) } else { Err(SpiffeError::TrustDomain) }
}

fn check_segment(text: &str) -> Result<(), SpiffeError> {
    let fits = (1..=SEGMENT_MAX).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if fits { Ok(()) } else { Err(SpiffeError::Segment) }
}

text_type!(
    /// A trust domain: the authority part of a SPIFFE ID, fixed at a server's first start.
    TrustDomain, check_trust_domain, SpiffeError
);
text_type!(
    /// One path segment of a workload's or an agent's name.
    Segment, check_segment, SpiffeError
);

/// Who a certificate or a session speaks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A person, on one device of theirs.
    Human {
        /// The tenant both belong to.
        tenant: TenantName,
        /// The portable user.
        user: UserName,
        /// The machine.
        device: DeviceName,
    },
    /// A machine that an operator provisioned; it stands for itself.
    ProvisionedDevice {
        /// Its tenant.
        tenant: TenantName,
        /// The machine.
        device: DeviceName,
    },
    /// A pod or a CI job.
    Workload {
        /// Its tenant.
        tenant: TenantName,
        /// Service account.
        service_account: Segment,
        /// Namespace.
        namespace: Segment,
        /// Cluster.
        cluster: Segment,
    },
    /// A software agent.
    Agent {
        /// Its tenant.
        tenant: TenantName,
        /// The agent's name.
        name: Segment,
        /// One instance of it.
        instance: Segment,
    },
}

/// The four kinds of principal, without their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// A person on a device.
    Human,
    /// A provisioned device.
    ProvisionedDevice,
    /// A workload.
    Workload,
    /// An agent.
    Agent,
}

impl PrincipalKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 4] = [Self::Human, Self::ProvisionedDevice, Self::Workload, Self::Agent];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::ProvisionedDevice => "provisioned-device",
            Self::Workload => "workload",
            Self::Agent => "agent",
        }
    }

    /// The segment of a SPIFFE ID that tells the kind, after the tenant's.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Human => "user",
            Self::ProvisionedDevice => "device",
            Self::Workload => "workload",
            Self::Agent => "agent",
        }
    }
}

impl Principal {
    /// Its tenant: the isolation boundary.
    pub fn tenant(&self) -> &TenantName {
        match self {
            Self::Human { tenant, .. }
            | Self::ProvisionedDevice { tenant, .. }
            | Self::Workload { tenant, .. }
            | Self::Agent { tenant, .. } => tenant,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> PrincipalKind {
        match self {
            Self::Human { .. } => PrincipalKind::Human,
            Self::ProvisionedDevice { .. } => PrincipalKind::ProvisionedDevice,
            Self::Workload { .. } => PrincipalKind::Workload,
            Self::Agent { .. } => PrincipalKind::Agent,
        }
    }

    /// The machine that speaks, where its name says which one it is.
    pub fn machine(&self) -> Option<&DeviceName> {
        match self {
            Self::Human { device, .. } | Self::ProvisionedDevice { device, .. } => Some(device),
            Self::Workload { .. } | Self::Agent { .. } => None,
        }
    }

    /// The user, when a person speaks.
    pub fn user(&self) -> Option<&UserName> {
        match self {
            Self::Human { user, .. } => Some(user),
            _ => None,
        }
    }
}

fn check_prefix(text: &str) -> Result<(), SpiffeError> {
    if text.len() > SPIFFE_ID_MAX {
        return Err(SpiffeError::TooLong);
    }
    let rest = text.strip_prefix(SCHEME).ok_or(SpiffeError::Scheme)?;
    let (domain, path) = match rest.split_once('/') {
        Some((domain, path)) => (domain, Some(path)),
        None => (rest, None),
    };
    check_trust_domain(domain)?;
    path.into_iter().flat_map(|path| path.split('/')).try_for_each(check_segment)
}

text_type!(
    /// The beginning of SPIFFE IDs, up to the end of a segment: `spiffe://td/tenant/home/user/bert` stands for
    /// all devices of bert and for none of bertha's.
    SpiffePrefix, check_prefix, SpiffeError
);

impl SpiffePrefix {
    /// Whether an identifier begins with it.
    pub fn covers(&self, id: &str) -> bool {
        id.strip_prefix(self.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A principal within a trust domain, printed and parsed as a SPIFFE ID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpiffeId {
    /// Where the principal is known.
    pub trust_domain: TrustDomain,
    /// Who it is.
    pub principal: Principal,
}

impl SpiffeId {
    /// Joins a trust domain and a principal. Every combination of valid parts fits the 2048 bytes:
    /// 255 for the domain and at most 64 + 3 × 253 for the names.
    pub fn new(trust_domain: TrustDomain, principal: Principal) -> Self {
        Self { trust_domain, principal }
    }

    /// Parses the text form.
    ///
    /// # Errors
    /// [`SpiffeError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, SpiffeError> {
        if text.len() > SPIFFE_ID_MAX {
            return Err(SpiffeError::TooLong);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(SpiffeError::Scheme)?;
        let (domain, path) = rest.split_once('/').ok_or(SpiffeError::Kind)?;
        let trust_domain = TrustDomain::parse(domain)?;
        let segments: Vec<&str> = path.split('/').collect();
        for segment in &segments {
            check_segment(segment)?;
        }
        Ok(Self { trust_domain, principal: principal_of(&segments)? })
    }
}

fn principal_of(segments: &[&str]) -> Result<Principal, SpiffeError> {
    let tenant = |t: &str| TenantName::parse(t).map_err(|_| SpiffeError::Segment);
    let user = |t: &str| UserName::parse(t).map_err(|_| SpiffeError::Segment);
    let device = |t: &str| DeviceName::parse(t).map_err(|_| SpiffeError::Segment);
    match *segments {
        ["tenant", t, "user", u, "device", d] => {
            Ok(Principal::Human { tenant: tenant(t)?, user: user(u)?, device: device(d)? })
        }
        ["tenant", t, "device", d] => {
            Ok(Principal::ProvisionedDevice { tenant: tenant(t)?, device: device(d)? })
        }
        ["tenant", t, "workload", sa, "ns", ns, "cluster", c] => Ok(Principal::Workload {
            tenant: tenant(t)?,
            service_account: Segment::parse(sa)?,
            namespace: Segment::parse(ns)?,
            cluster: Segment::parse(c)?,
        }),
        ["tenant", t, "agent", name, "instance", id] => Ok(Principal::Agent {
            tenant: tenant(t)?,
            name: Segment::parse(name)?,
            instance: Segment::parse(id)?,
        }),
        _ => Err(SpiffeError::Kind),
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/tenant/{}", self.trust_domain, self.principal.tenant())?;
        match &self.principal {
            Principal::Human { user, device, .. } => write!(f, "/user/{user}/device/{device}"),
            Principal::ProvisionedDevice { device, .. } => write!(f, "/device/{device}"),
            Principal::Workload { service_account, namespace, cluster, .. } => {
                write!(f, "/workload/{service_account}/ns/{namespace}/cluster/{cluster}")
            }
            Principal::Agent { name, instance, .. } => {
                write!(f, "/agent/{name}/instance/{instance}")
            }
        }
    }
}

impl FromStr for SpiffeId {
    type Err = SpiffeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for SpiffeId {
    type Error = SpiffeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SpiffeId> for String {
    fn from(id: SpiffeId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_a_segment_ends() {
        let bert = SpiffePrefix::parse("spiffe://td/tenant/home/user/bert").unwrap();
        assert!(bert.covers("spiffe://td/tenant/home/user/bert/device/laptop"));
        assert!(bert.covers("spiffe://td/tenant/home/user/bert"));
        for other in [
            "spiffe://td/tenant/home/user/bertha/device/laptop",
            "spiffe://td/tenant/home/user/ber",
            "spiffe://td2/tenant/home/user/bert/device/laptop",
        ] {
            assert!(!bert.covers(other), "{other}");
        }
        assert!(
            SpiffePrefix::parse("spiffe://td").unwrap().covers("spiffe://td/tenant/home/device/d")
        );
        for wrong in [
            "",
            "td",
            "spiffe://",
            "spiffe://td/",
            "spiffe://td/a//b",
            "spiffe://td/a/",
            "spiffe://TD/a",
            "spiffe://td/a%20",
            "spiffe://td/..",
            "spiffe://td/a b",
        ] {
            assert!(SpiffePrefix::parse(wrong).is_err(), "{wrong}");
        }
        let long = format!("spiffe://td/{}", "a".repeat(SPIFFE_ID_MAX));
        assert_eq!(SpiffePrefix::parse(long), Err(SpiffeError::TooLong));
    }
}
