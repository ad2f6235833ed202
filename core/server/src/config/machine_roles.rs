//! What machines may stand for, and how keys for them are handed out.

use landfall_identity::MachineRole;
use landfall_identity::caller::Role;
use landfall_identity::provisioned::Handing;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The most roles that a configuration names.
const ROLES_MAX: usize = 64;

/// The roles of machines, each with how its keys are handed out: `one-person`, `two-people`, or `never`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MachineRoles(BTreeMap<MachineRole, Handing>);

impl MachineRoles {
    /// How keys for machines of this role are handed out; `None` when there is no such role.
    pub fn handing(&self, role: &MachineRole) -> Option<Handing> {
        self.0.get(role).copied()
    }

    /// Adds a role, or says anew how its keys are handed out.
    #[must_use]
    pub fn with(mut self, role: MachineRole, handing: Handing) -> Self {
        self.0.insert(role, handing);
        self
    }

    /// The rules between them: what to do, when one is broken.
    pub(super) fn rules(&self) -> Result<(), (&'static str, &'static str)> {
        const KEY: &str = "machine_roles";
        if self.0.len() > ROLES_MAX {
            return Err((KEY, "machine_roles has more than 64 roles"));
        }
        // A machine that is called like a person's role would be taken for one.
        if self.0.keys().any(|role| Role::parse(role.as_str()).is_some()) {
            return Err((
                KEY,
                "machine_roles names a role of people; call the machine's role something else",
            ));
        }
        Ok(())
    }
}

impl Default for MachineRoles {
    /// Those that come with the server. What signs releases, and what reads every backup, takes two people.
    fn default() -> Self {
        let handing = |name: &str| match name {
            "server" => Handing::OnePerson,
            _ => Handing::TwoPeople,
        };
        let shipped = MachineRole::SHIPPED.into_iter();
        Self(
            shipped
                .filter_map(|name| Some((MachineRole::parse(name).ok()?, handing(name))))
                .collect(),
        )
    }
}

impl fmt::Display for MachineRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.keys().map(MachineRole::as_str).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> MachineRole {
        MachineRole::parse(name).unwrap()
    }

    #[test]
    fn what_is_dangerous_takes_two_unless_said_otherwise() {
        let roles = MachineRoles::default();
        assert_eq!(roles.handing(&role("server")), Some(Handing::OnePerson));
        assert_eq!(roles.handing(&role("releaser")), Some(Handing::TwoPeople));
        assert_eq!(roles.handing(&role("backup-restore")), Some(Handing::TwoPeople));
        assert_eq!(roles.handing(&role("admin")), None);
        assert_eq!(roles.to_string(), "backup-restore, releaser, server");
    }

    #[test]
    fn a_machines_role_is_never_called_like_a_persons() {
        for person in Role::ALL {
            let roles = MachineRoles::default().with(role(person.as_str()), Handing::OnePerson);
            assert!(roles.rules().is_err(), "{person:?}");
        }
        assert!(MachineRoles::default().rules().is_ok());
    }
}
