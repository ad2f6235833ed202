//! Lists, always in pages.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

/// The most items that one page holds.
pub const PAGE_MAX: u32 = 200;
/// The items that a page holds when none are asked for.
pub const PAGE_DEFAULT: u32 = 50;

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Page<T> {
    /// The items, in a stable order.
    pub items: Vec<T>,
    /// Hand this back as `after` for the next page; absent on the last.
    pub next: Option<String>,
}

/// Which page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items at the most: 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
