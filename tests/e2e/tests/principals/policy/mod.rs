//! Roles, and the rules of a tenant.

mod matrix;
mod roles;
mod rules;
