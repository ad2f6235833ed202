//! Roles, and the rules of a tenant.

mod administrators;
mod matrix;
mod nobody_else;
mod roles;
mod rules;
mod shut_out;
