//! Fields that may be of any shape: what nobody expects counts as missing, and never as a mistake.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize,
    de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Entries that one list may have. More is a mistake or an attack, and the rest of it is not kept.
pub const MOST_ENTRIES: usize = 65_536;

/// Gives kinds of payload their reader.
macro_rules! readable {
    ($($kind:ident),*) => {
        $(impl<'a> $kind<'a> {
            /// Reads a payload.
            ///
            /// # Errors
            /// It is no object, or what it is about is missing.
            pub fn read(payload: &'a str) -> Result<Self, $crate::dialect::socp::Malformed> {
                // A list would be taken for the fields in their order.
                if !payload.trim_start().starts_with('{') {
                    return Err($crate::dialect::socp::Malformed);
                }
                serde_json::from_str(payload).map_err(|_| $crate::dialect::socp::Malformed)
            }
        })*
    };
}
pub(super) use readable;

/// Reads a text, or a number as a text; anything else is nothing.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    from.deserialize_any(Loose)
}

/// Reads a whole number, also from a string; anything else is nothing.
pub(super) fn number<'de, D, N>(from: D) -> Result<Option<N>, D::Error>
where
    D: Deserializer<'de>,
    N: std::str::FromStr,
{
    Ok(text(from)?.and_then(|text| text.parse().ok()))
}

/// Reads a list and keeps what fits, up to a bound; anything else is an empty one.
pub(super) fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    from.deserialize_any(Items(PhantomData))
}

/// Reads an object of texts as pairs, up to a bound; anything else is an empty one.
pub(super) fn pairs<'de, D>(from: D) -> Result<Vec<Pair<'de>>, D::Error>
where
    D: Deserializer<'de>,
{
    from.deserialize_any(Pairs)
}

/// A key and its value.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Steps over whatever a list holds.
fn skip_list<'de, A: SeqAccess<'de>>(mut items: A) -> Result<(), A::Error> {
    while items.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Steps over whatever an object holds.
fn skip_object<'de, A: MapAccess<'de>>(mut entries: A) -> Result<(), A::Error> {
    while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// What every loose reader does with the shapes that it does not expect.
macro_rules! nothing_from {
    ($($visit:ident: $shape:ty),*) => {
        $(fn $visit<E: Error>(self, _: $shape) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        })*

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("anything")
        }
    };
}

struct Loose;

impl<'de> Visitor<'de> for Loose {
    type Value = Option<Cow<'de, str>>;

    nothing_from!(visit_bool: bool);

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        skip_list(items).map(|()| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        skip_object(entries).map(|()| None)
    }
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    nothing_from!(visit_bool: bool, visit_u64: u64, visit_i64: i64, visit_f64: f64, visit_str: &str);

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while list.len() < MOST_ENTRIES {
            let Some(item) = from.next_element()? else { return Ok(list) };
            list.push(item);
        }
        skip_list(from).map(|()| list)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        skip_object(entries).map(|()| Vec::new())
    }
}

struct Pairs;

/// A text wherever it stands.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow, deserialize_with = "text")] Option<Cow<'a, str>>);

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<Pair<'de>>;

    nothing_from!(visit_bool: bool, visit_u64: u64, visit_i64: i64, visit_f64: f64, visit_str: &str);

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        skip_list(items).map(|()| Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while list.len() < MOST_ENTRIES {
            let Some((Text(key), Text(value))) = from.next_entry()? else { return Ok(list) };
            list.extend(key.zip(value));
        }
        skip_object(from).map(|()| list)
    }
}
