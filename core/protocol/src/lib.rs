//! What travels between Landfall's clients and server.
//!
//! Request and response bodies, paths, error codes and problems. Fields are `snake_case`, enum values
//! `kebab-case`, times RFC 3339 in UTC with names ending in `_at`, spans whole seconds with names
//! ending in `_seconds`. Requests refuse unknown fields, so that a misspelt bound is never a silent
//! default; responses may gain fields.

pub mod act;
pub mod admin;
pub mod agent;
pub mod audit;
pub mod audit_export;
pub mod capability;
pub mod ceremony;
pub mod device;
pub mod enroll;
pub mod error;
pub mod guardian;
pub mod link;
pub mod list;
pub mod me;
pub mod meta;
pub mod notice;
pub mod passkey;
pub mod paths;
pub mod policy;
pub mod provisioned;
pub mod readiness;
pub mod recovery;
pub mod secret;
pub mod session;
pub mod time;
pub mod workload;

pub use error::{ErrorCode, Problem};
pub use list::{Page, PageQuery};
pub use time::At;
