//! Pages: bounds and opaque cursors.

use crate::failure::Failure;
use data_encoding::BASE64URL_NOPAD;
use landfall_identity::Timestamp;
use landfall_protocol::Page;
use landfall_protocol::list::{PAGE_DEFAULT, PAGE_MAX};

/// The longest cursor that is looked at, in bytes.
const CURSOR_MAX: usize = 512;

/// How many items to answer with.
///
/// # Errors
/// Zero, or more than a page holds.
pub fn limit(asked: Option<u32>) -> Result<u32, Failure> {
    match asked.unwrap_or(PAGE_DEFAULT) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        _ => Err(Failure::invalid("limit", format!("It must be between 1 and {PAGE_MAX}."))),
    }
}

/// Cuts one row too many off a page and says where the next begins.
pub fn cut<R, T>(
    mut rows: Vec<R>,
    limit: u32,
    cursor: impl Fn(&R) -> String,
    item: impl Fn(&R) -> T,
) -> Page<T> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(cursor) } else { None };
    Page { items: rows.iter().map(item).collect(), next }
}

/// A cursor made of texts, none of which holds a line break.
pub fn text_cursor(parts: &[&str]) -> String {
    BASE64URL_NOPAD.encode(parts.join("\n").as_bytes())
}

/// Reads a cursor of `N` texts; empty texts for the first page.
///
/// # Errors
/// A cursor that we did not make.
pub fn read_text_cursor<const N: usize>(after: Option<&str>) -> Result<[String; N], Failure> {
    let Some(after) = after else { return Ok(std::array::from_fn(|_| String::new())) };
    let ours = || Failure::invalid("after", "Use the next of the page before, unchanged.");
    if after.len() > CURSOR_MAX {
        return Err(ours());
    }
    let bytes = BASE64URL_NOPAD.decode(after.as_bytes()).map_err(|_| ours())?;
    let text = String::from_utf8(bytes).map_err(|_| ours())?;
    let parts: Vec<String> = text.split('\n').map(str::to_owned).collect();
    parts.try_into().map_err(|_| ours())
}

/// A cursor of a list that runs backwards in time.
pub fn time_cursor_text(at: Timestamp, id: &str) -> String {
    text_cursor(&[&at.millis().to_string(), id])
}

/// Reads a cursor of a list that runs backwards in time; the far future for the first page.
///
/// # Errors
/// A cursor that we did not make.
pub fn time_cursor(after: Option<&str>) -> Result<(Timestamp, String), Failure> {
    if after.is_none() {
        return Ok((Timestamp::from_millis(i64::MAX), String::new()));
    }
    let [at, id] = read_text_cursor::<2>(after)?;
    let millis = at
        .parse()
        .map_err(|_| Failure::invalid("after", "Use the next of the page before, unchanged."))?;
    Ok((Timestamp::from_millis(millis), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded_and_cursors_are_ours() {
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(PAGE_MAX + 1)).is_err());
        assert_eq!(limit(None).unwrap(), PAGE_DEFAULT);
        let text = time_cursor_text(Timestamp::from_millis(5), "x");
        assert_eq!(time_cursor(Some(&text)).unwrap(), (Timestamp::from_millis(5), "x".into()));
        for bad in ["!", "AAAA", &"A".repeat(CURSOR_MAX + 1)] {
            assert!(time_cursor(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_full_page_says_where_the_next_begins() {
        let page = cut(vec![1, 2, 3], 2, ToString::to_string, |n| *n);
        assert_eq!((page.items, page.next), (vec![1, 2], Some("2".into())));
        let last = cut(vec![1, 2], 2, ToString::to_string, |n| *n);
        assert_eq!(last.next, None);
    }
}
