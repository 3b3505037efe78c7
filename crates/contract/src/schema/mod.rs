//! A schema of the document, ready to hold values against.

mod bundle;
mod discriminator;

use crate::difference::{Difference, of_error};
use crate::document::{Document, Part};
use crate::error::Fault;
use bundle::Bundle;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;
use std::sync::OnceLock;

/// The most differences that are looked for in one value.
const MOST: usize = 1_000;
/// How far a regular expression of the document may go back and forth over a value.
const BACKTRACKS: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Schema {
    place: String,
    ready: OnceLock<Result<Validator, Fault>>,
}

impl Schema {
    pub(crate) fn of(part: Part<'_>) -> Self {
        Self {
            place: part.place,
            ready: OnceLock::new(),
        }
    }

    /// Makes it ready, once.
    pub(crate) fn ready(&self, document: &Document) -> Result<&Validator, &Fault> {
        self.ready.get_or_init(|| self.make(document)).as_ref()
    }

    fn make(&self, document: &Document) -> Result<Validator, Fault> {
        let (schema, places) = Bundle::of(document, &self.place)?;
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS))
            .offline();
        options.build(&schema).map_err(|error| {
            let place = original(document, &places, error.instance_path().as_str());
            let place = place.unwrap_or_else(|| self.place.clone());
            Fault::at(place, format!("the schema is not valid: {error}"))
        })
    }

    /// Adds how a value differs; `place` is what the value is called.
    pub(crate) fn compare(
        &self,
        document: &Document,
        place: &str,
        value: &Value,
        found: &mut Vec<Difference>,
    ) {
        match self.ready(document) {
            Ok(validator) => {
                let errors = validator.iter_errors(value).take(MOST);
                errors.for_each(|error| of_error(place, &error, found));
            }
            // What cannot be checked does not hold.
            Err(fault) => found.push(Difference::new(
                place,
                "a schema that can be used",
                fault.to_string(),
            )),
        }
    }
}

/// Where in the document something stands that is at a place of a bundle: the nearest part that the document has, too.
fn original(document: &Document, places: &[String], place: &str) -> Option<String> {
    let rest = place.strip_prefix("/$defs/")?;
    let (number, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let mut found = places.get(number.parse::<usize>().ok()?)?.clone();
    for key in rest.split('/').filter(|key| !key.is_empty()) {
        let next = format!("{found}/{key}");
        if document
            .at("", &format!("#{}", next.replace('%', "%25")))
            .is_err()
        {
            break;
        }
        found = next;
    }
    Some(found)
}
