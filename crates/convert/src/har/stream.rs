//! The frame of an archive, read without holding it.

use serde::de::{
    DeserializeSeed, Deserializer as _, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Deserializer, Value};
use std::cell::Cell;
use std::fmt;
use std::io::Read;

/// A part of an archive.
#[derive(Debug)]
pub(super) enum Archive {
    /// The list of entries begins.
    Entries,
    /// An entry and its number, from 1.
    Entry(usize, Value),
    Pages(Value),
    Creator(Value),
}

/// Reads an archive part by part; `at` is the number of the entry that is read.
///
/// # Errors
/// What is not JSON.
pub(super) fn read(
    source: impl Read,
    at: &Cell<usize>,
    take: &mut dyn FnMut(Archive),
) -> serde_json::Result<()> {
    let mut json = Deserializer::from_reader(source);
    json.deserialize_any(Level {
        name: Name::Top,
        at,
        take,
    })?;
    json.end()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Top,
    Log,
    Entries,
}

struct Level<'a> {
    name: Name,
    at: &'a Cell<usize>,
    take: &'a mut dyn FnMut(Archive),
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.name {
            Name::Top => "an object with log",
            Name::Log => "an object with entries",
            Name::Entries => "a list of entries",
        })
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        if self.name == Name::Entries {
            return Err(M::Error::custom("log.entries is an object, not a list"));
        }
        while let Some(key) = map.next_key::<String>()? {
            let (at, take) = (self.at, &mut *self.take);
            match (self.name, key.as_str()) {
                (Name::Top, "log") => map.next_value_seed(Level {
                    name: Name::Log,
                    at,
                    take,
                })?,
                (Name::Log, "entries") => map.next_value_seed(Level {
                    name: Name::Entries,
                    at,
                    take,
                })?,
                (Name::Log, "pages") => take(Archive::Pages(map.next_value()?)),
                (Name::Log, "creator" | "browser") => take(Archive::Creator(map.next_value()?)),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        if self.name != Name::Entries {
            return Err(S::Error::custom("a list stands where a HAR has an object"));
        }
        (self.take)(Archive::Entries);
        loop {
            self.at.set(self.at.get() + 1);
            match items.next_element()? {
                Some(entry) => (self.take)(Archive::Entry(self.at.get(), entry)),
                None => break,
            }
        }
        self.at.set(0);
        Ok(())
    }
}
