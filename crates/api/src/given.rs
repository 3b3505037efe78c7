//! Reads what a request gives, a body of JSON or a query. What is wrong is told in the caller's words: where it stands, what it is, and what to
//! write. An object is written as one: by position nobody would see what an array says.

use serde::de::value::{SeqDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess,
    Unexpected, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;
use std::fmt;

/// The keys of an object, in their order; one that stands twice stands here twice.
#[derive(Debug)]
pub(crate) struct Keys(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    keys.push(entry);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// What a body says.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn of_body<T: DeserializeOwned>(Keys(keys): Keys) -> Result<T, Fault> {
    T::deserialize(Top(keys, false))
}

/// What a query says; its values are text, whatever they stand for.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn of_query<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Fault> {
    let values = pairs.into_iter().map(|(name, text)| (name, text.into()));
    T::deserialize(Top(values.collect(), true))
}

/// A time in Unix ms, where one may be given.
///
/// # Errors
/// Anything else.
pub(crate) fn unix_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Time;
    impl Visitor<'_> for Time {
        type Value = Option<i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time in Unix ms, such as 1764547200000")
        }

        fn visit_i64<E: Error>(self, time: i64) -> Result<Self::Value, E> {
            Ok(Some(time))
        }

        fn visit_u64<E: Error>(self, time: u64) -> Result<Self::Value, E> {
            let told = || E::invalid_value(Unexpected::Unsigned(time), &self);
            time.try_into().map(Some).map_err(|_| told())
        }
    }
    deserializer.deserialize_i64(Time)
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    place: String,
    told: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => f.write_str(&self.told),
            place => write!(f, "{place}: {}", self.told),
        }
    }
}

impl std::error::Error for Fault {}

impl Fault {
    fn at(place: &str, told: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            told: told.into(),
        }
    }

    /// The same, one level further out.
    fn within(self, key: &str) -> Self {
        let place = match self.place.as_str() {
            "" => key.to_owned(),
            place => format!("{key}.{place}"),
        };
        Self { place, ..self }
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(told: T) -> Self {
        Self::at("", told.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(value) => value.to_string(),
            Unexpected::Unsigned(number) => number.to_string(),
            Unexpected::Signed(number) => number.to_string(),
            Unexpected::Float(number) => number.to_string(),
            Unexpected::Str(text) => format!("{text:?}"),
            Unexpected::Unit | Unexpected::Option => "null".into(),
            Unexpected::Seq => "a list".into(),
            Unexpected::Map => "an object".into(),
            other => other.to_string(),
        };
        Self::at("", format!("{found} is not valid; write {}", words(wanted)))
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::invalid_type(found, wanted)
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let known = known.join(", ");
        Self::at("", format!("{found:?} is not valid; write one of {known}"))
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        let known = known.join(", ");
        Self::at(
            found,
            format!("there is no such key here; there are {known}"),
        )
    }

    fn missing_field(name: &'static str) -> Self {
        Self::at(name, "is missing")
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::at(name, "stands twice; write it once")
    }
}

/// What is wanted, as a caller calls it.
fn words(wanted: &dyn Expected) -> String {
    let wanted = wanted.to_string();
    match wanted.as_str() {
        "a map" => "an object".into(),
        "a sequence" => "a list".into(),
        "a string" => "text".into(),
        "a boolean" => "true or false".into(),
        "f64" => "a number".into(),
        "i64" => "a whole number".into(),
        "u32" => "a whole number from 0 to 4294967295".into(),
        "u64" | "usize" => "a whole number of 0 or more".into(),
        wanted if wanted.starts_with("struct ") => "an object".into(),
        wanted => wanted.to_owned(),
    }
}

/// All that is given.
struct Top(Vec<(String, Value)>, bool);

impl<'de> Deserializer<'de> for Top {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Self(keys, is_text) = self;
        visitor.visit_map(Entries {
            left: keys.into_iter(),
            value: None,
            is_text,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The entries of an object.
struct Entries<I> {
    left: I,
    value: Option<(String, Value)>,
    is_text: bool,
}

impl<'de, I: Iterator<Item = (String, Value)>> MapAccess<'de> for Entries<I> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.left.next() else {
            return Ok(None);
        };
        self.value = Some((key.clone(), value));
        let key: StringDeserializer<Fault> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) = self.value.take().unwrap_or_default();
        let given = Given {
            value,
            is_text: self.is_text,
        };
        seed.deserialize(given).map_err(|fault| fault.within(&key))
    }
}

/// A value that is given.
struct Given {
    value: Value,
    /// Whether text may stand for a number.
    is_text: bool,
}

impl IntoDeserializer<'_, Fault> for Given {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Numbers and truths, which a query has as text.
macro_rules! written {
    ($($method:ident $visit:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match &self.value {
                Value::String(text) if self.is_text => match text.parse::<$type>() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => Err(Fault::invalid_value(Unexpected::Str(text), &visitor)),
                },
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Given {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let is_text = self.is_text;
        let given = move |value| Self { value, is_text };
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(all) => {
                visitor.visit_seq(SeqDeserializer::new(all.into_iter().map(given)))
            }
            Value::Object(all) => visitor.visit_map(Entries {
                left: all.into_iter(),
                value: None,
                is_text,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Value::Array(_) => Err(Fault::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Value::String(text) => {
                let word: StringDeserializer<Fault> = text.into_deserializer();
                visitor.visit_enum(word)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    written! {
        deserialize_bool visit_bool bool;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_i64 visit_i64 i64;
        deserialize_f64 visit_f64 f64;
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        usd: Option<f64>,
        vu_hours: Option<f64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        One,
        Two,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Inner,
        count: Option<u32>,
        is: Option<bool>,
        word: Option<Word>,
        #[serde(default)]
        all: Vec<String>,
        #[serde(default)]
        named: BTreeMap<String, Inner>,
        #[serde(default, deserialize_with = "unix_ms")]
        since: Option<i64>,
    }

    fn body(text: &str) -> Result<Outer, String> {
        let keys: Keys = serde_json::from_str(text).map_err(|e| e.to_string())?;
        of_body(keys).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_body_is_read_as_it_is_written() {
        let read = body(
            r#"{"name": "a", "inner": {"usd": 5}, "count": 7, "is": true, "word": "two", "all": ["x"], "named": {"n": {"vu_hours": 1.5}}, "since": 12}"#,
        );
        let read = read.unwrap();
        assert_eq!((read.inner.usd, read.count), (Some(5.0), Some(7)));
        assert_eq!(read.named["n"].vu_hours, Some(1.5));
        assert!(matches!(read.word, Some(Word::Two)) && read.is == Some(true));
        assert_eq!((read.all, read.since), (vec!["x".to_owned()], Some(12)));
        assert!(
            body(r#"{"name": "a", "count": null}"#)
                .unwrap()
                .count
                .is_none()
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_what_to_write() {
        for (text, told) in [
            ("[]", "expected an object"),
            ("{}", "name: is missing"),
            (r#"{"name": 5}"#, "name: 5 is not valid; write text"),
            (r#"{"name": "a", "name": "b"}"#, "name: stands twice"),
            (
                r#"{"name": "a", "inner": [5, null]}"#,
                "inner: a list is not valid; write an object",
            ),
            (
                r#"{"name": "a", "inner": {"usd": "x"}}"#,
                "inner.usd: \"x\" is not valid; write a number",
            ),
            (
                r#"{"name": "a", "named": {"n": [1, 2]}}"#,
                "named.n: a list is not valid; write an object",
            ),
            (
                r#"{"name": "a", "inner": {"eur": 5}}"#,
                "inner.eur: there is no such key here; there are usd, vu_hours",
            ),
            (
                r#"{"name": "a", "word": "three"}"#,
                "word: \"three\" is not valid; write one of one, two",
            ),
            (r#"{"name": "a", "count": -1}"#, "count: -1 is not valid"),
            (
                r#"{"name": "a", "count": "1"}"#,
                "count: \"1\" is not valid",
            ),
            (
                r#"{"name": "a", "all": {}}"#,
                "all: an object is not valid; write a list",
            ),
        ] {
            let why = body(text).unwrap_err();
            assert!(why.contains(told), "{text}: {why}");
        }
    }

    #[test]
    fn a_query_has_numbers_as_text() {
        let query = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            of_query::<Outer>(pairs.collect()).map_err(|fault| fault.to_string())
        };
        let read = query(&[
            ("name", "5"),
            ("count", "5"),
            ("is", "false"),
            ("since", "-1"),
        ]);
        let read = read.unwrap();
        assert_eq!((read.count, read.is), (Some(5), Some(false)));
        assert_eq!((read.name.as_str(), read.since), ("5", Some(-1)));
        let why = query(&[("name", ""), ("since", "2026-01-01")]).unwrap_err();
        assert_eq!(
            why,
            "since: \"2026-01-01\" is not valid; write a time in Unix ms, such as 1764547200000"
        );
        let why = query(&[("name", ""), ("count", "many")]).unwrap_err();
        assert!(why.contains("write a whole number"), "{why}");
        assert!(query(&[("name", ""), ("count", "1"), ("count", "2")]).is_err());
        assert!(query(&[("name", "a"), ("word", "one")]).is_ok());
        let keys: Keys = serde_json::from_value(json!({"name": "a"})).unwrap();
        assert!(of_body::<Outer>(keys).is_ok());
    }
}
