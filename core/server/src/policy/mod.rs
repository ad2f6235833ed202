//! Who may try what, as rules that people can read (Cedar). The only module that knows Cedar.
//!
//! `identity::authorize` is the floor and is asked first, always. The same floors stand here as `forbid`s
//! made from the same table ([`floors`]), so that whoever reads the rules, or tries others, sees them; and
//! a rule of a tenant's never allows what they forbid. Above them stands `default.cedar`, then what the
//! tenant adds. Single use, quorums, waits and redemption are no policy: they are state machines in
//! `identity`.
//!
//! Cedar skips a policy that errs, also a `forbid`. Here any error of evaluation is a deny.

mod compile;
pub mod floors;
mod question;

pub use compile::{Decision, PolicyError, Rules, SHIPPED, TEXT_MAX};
pub use question::{Approval, Itself, Question};

use landfall_identity::TenantName;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The rule named where no rule allows.
pub const NO_RULE: &str = "default/nothing-allows-it";
/// The rule named where rules cannot be read.
pub const UNREADABLE: &str = "error/unreadable";

/// The rules in force, by tenant. They are parsed and checked when they change, never for a request.
pub struct Policies {
    shipped: Arc<Rules>,
    tenants: RwLock<HashMap<TenantName, Arc<Rules>>>,
}

impl Policies {
    /// What is shipped, for every tenant. A test holds that it can be read; were it not so, nothing would
    /// be allowed.
    pub fn new() -> Self {
        let shipped = Rules::shipped().unwrap_or_else(|error| {
            tracing::error!(%error, "the shipped rules cannot be read: nothing is allowed");
            Rules::unreadable(0)
        });
        Self { shipped: Arc::new(shipped), tenants: RwLock::default() }
    }

    /// The rules of a tenant.
    pub fn of(&self, tenant: &TenantName) -> Arc<Rules> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tenants.get(tenant).unwrap_or(&self.shipped))
    }

    /// Puts other rules in force for a tenant, from the next request on, unless newer ones are.
    pub fn put(&self, tenant: &TenantName, rules: Arc<Rules>) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let known = tenants.get(tenant).map_or(i64::MIN, |known| known.generation());
        if rules.generation() >= known {
            tenants.insert(tenant.clone(), rules);
        }
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod floor_tests;
#[cfg(test)]
mod tests;
