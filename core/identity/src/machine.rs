//! What a machine stands for: a name that operators give, and that policy reads.

use crate::name::{NameError, check_name, text_type};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

text_type!(
    /// The role of a machine, such as `releaser`. It gives no right by itself: floors and policy do.
    MachineRole, check_name, NameError
);

impl MachineRole {
    /// The roles that a server knows without being told of any.
    pub const SHIPPED: [&'static str; 3] = ["server", "releaser", "backup-restore"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_a_role() {
        for name in MachineRole::SHIPPED {
            assert_eq!(MachineRole::parse(name).unwrap().as_str(), name);
        }
        for wrong in ["", "Releaser", "release r", "a/b", "-a"] {
            assert!(MachineRole::parse(wrong).is_err(), "{wrong}");
        }
    }
}
