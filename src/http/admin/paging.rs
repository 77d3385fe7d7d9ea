//! Lists in pages. A cursor names the last item of a page and the list it belongs to; to everybody
//! else it is opaque, so that it may change.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{domain::dialect::Dialect, http::problem::Problem};

const DEFAULT: u32 = 50;
const MOST: u32 = 500;

/// Which part of a list is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// At most so many items; more than 500 are never given.
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub(super) limit: Option<u32>,
    /// The `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listing<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// The cursor of the next page; null at the end of the list.
    pub(super) next: Option<String>,
}

/// The only dialect that is wanted, if one is named.
pub(super) fn dialect(name: Option<&str>) -> Result<Option<Dialect>, Problem> {
    let known = |name| Dialect::from_name(name).ok_or_else(|| Problem::bad_request("no such dialect"));
    name.map(known).transpose()
}

/// How many items are given.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(DEFAULT),
        Some(0) => Err(Problem::bad_request("limit must be at least 1")),
        Some(asked) => Ok(asked.min(MOST)),
    }
}

/// The cursor of a place in a list.
pub(super) fn encode(list: &str, place: impl std::fmt::Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{place}"))
}

/// The place that a cursor of this list names.
pub(super) fn decode<T>(
    list: &str,
    cursor: Option<&str>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let place = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        read(text.strip_prefix(list)?.strip_prefix(':')?)
    };
    place().map(Some).ok_or_else(|| Problem::bad_request("this cursor was not given out by this list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let read = |text: &str| text.parse::<u64>().ok();
        let cursor = encode("clients", 7);
        assert_eq!(decode("clients", Some(&cursor), read), Ok(Some(7)));
        assert_eq!(decode("clients", None, read), Ok(None));
        for wrong in ["", "7", "!", &encode("files", 7), &encode("clients", "x"), &encode("clients", -1)] {
            assert!(decode("clients", Some(wrong), read).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_has_a_sane_size() {
        assert_eq!((limit(None), limit(Some(1)), limit(Some(9999))), (Ok(50), Ok(1), Ok(500)));
        assert!(limit(Some(0)).is_err());
    }
}
