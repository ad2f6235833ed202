//! See the crate's description; documented as it fills.
