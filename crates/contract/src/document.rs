//! A document and its references.

use crate::error::{ContractError, Fault};
use floodgate_core::definition::{Bounds, Source, tree};
use floodgate_records::printable::quoted;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The largest document in bytes.
pub const MAX_BYTES: u64 = 32 << 20;
/// How many references may lead to each other.
const MAX_HOPS: usize = 32;
const BOUNDS: Bounds = Bounds {
    size: MAX_BYTES as usize,
    nodes: 4_000_000,
    scalar: 4 << 20,
    text: 64 << 20,
};
/// Keys whose values are data, in which `$ref` means nothing.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// Versions whose schemas mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Schemas of their own kind.
    V30,
    /// JSON Schema 2020-12.
    V31,
}

#[derive(Debug)]
pub(crate) struct Document {
    root: Value,
    pub(crate) version: Version,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) place: String,
    pub(crate) value: &'a Value,
}

impl<'a> Part<'a> {
    /// A member of a map.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        Some(Self {
            place: below(&self.place, key),
            value: self.value.get(key)?,
        })
    }

    /// The members of a map; extensions are left out.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let place = self.place.clone();
        let entries = self.value.as_object().into_iter().flatten();
        let entries = entries.filter(|(key, _)| !key.starts_with("x-"));
        entries.map(move |(key, value)| {
            let place = below(&place, key);
            (key.as_str(), Part { place, value })
        })
    }
}

impl Document {
    pub(crate) fn read(name: &str, text: &[u8]) -> Result<Self, ContractError> {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        let empty = || ContractError::Unsupported {
            name: name.to_owned(),
            problem: "the document is empty".to_owned(),
            remedy: "give an OpenAPI 3.0 or 3.1 document",
        };
        let json = (first == Some(&b'{')).then(|| serde_json::from_slice(text));
        let root = match json {
            Some(Ok(root)) => root,
            Some(Err(source)) if !source.is_syntax() => {
                let name = name.to_owned();
                return Err(ContractError::Json { name, source });
            }
            None if is_empty(text) => return Err(empty()),
            // Braces begin YAML, too.
            _ => numbers(tree(&Source { name, text }, BOUNDS)?),
        };
        let version = version(&root).map_err(|(problem, remedy)| ContractError::Unsupported {
            name: name.to_owned(),
            problem,
            remedy,
        })?;
        Ok(Self { root, version })
    }

    pub(crate) fn root(&self) -> Part<'_> {
        Part {
            place: String::new(),
            value: &self.root,
        }
    }

    /// What a part is, behind references.
    pub(crate) fn resolve<'a>(&'a self, part: Part<'a>) -> Result<Part<'a>, Fault> {
        let begin = part.place.clone();
        let mut part = part;
        for _ in 0..MAX_HOPS {
            let Some(reference) = part.value.get("$ref").and_then(Value::as_str) else {
                return Ok(part);
            };
            part = self.at(&part.place, reference)?;
        }
        Err(Fault::at(begin, "the reference leads to itself"))
    }

    /// Where a reference leads.
    pub(crate) fn at(&self, place: &str, reference: &str) -> Result<Part<'_>, Fault> {
        let fail = |problem: String| Fault::at(place, problem);
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(fail(format!(
                "the reference {} leads out of the document; bundle it into one file, for example with redocly bundle",
                quoted(reference)
            )));
        };
        let pointer = percent_decode_str(fragment).decode_utf8_lossy();
        match self.root.pointer(&pointer) {
            Some(value) => Ok(Part {
                place: pointer.into_owned(),
                value,
            }),
            None => Err(fail(format!(
                "the reference {} leads nowhere",
                quoted(reference)
            ))),
        }
    }

    /// Whether references lead from a part back to it, without anything between them.
    fn is_circular(&self, part: &Part<'_>) -> bool {
        let mut at = part.clone();
        for _ in 0..MAX_HOPS {
            let reference = text(at.value, "$ref");
            let Some(next) = reference.and_then(|to| self.at(&at.place, to).ok()) else {
                return false;
            };
            if next.place == part.place {
                return true;
            }
            at = next;
        }
        false
    }

    /// References within the document that lead nowhere, or to themselves.
    pub(crate) fn dangling(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut todo = vec![self.root()];
        while let Some(part) = todo.pop() {
            if let Some(reference) = part.value.get("$ref").and_then(Value::as_str)
                && reference.starts_with('#')
            {
                faults.extend(self.at(&part.place, reference).err());
                if self.is_circular(&part) {
                    let problem = format!(
                        "the reference {} leads to itself, so it means nothing; write the schema here",
                        quoted(reference)
                    );
                    faults.push(Fault::at(part.place.clone(), problem));
                }
            }
            match part.value {
                Value::Object(_) => {
                    let entries = part.entries();
                    todo.extend(entries.filter_map(|(key, inner)| {
                        // A property may be called like a key of data.
                        let is_data = DATA.contains(&key) && !part.place.ends_with("/properties");
                        (!is_data).then_some(inner)
                    }));
                }
                Value::Array(items) => {
                    let items = items.iter().enumerate();
                    todo.extend(items.map(|(index, value)| Part {
                        place: format!("{}/{index}", part.place),
                        value,
                    }));
                }
                _ => {}
            }
        }
        faults.sort_by(|a, b| a.place.cmp(&b.place));
        faults
    }
}

/// Whether a text of YAML has nothing but comments and marks of documents.
fn is_empty(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .into_iter()
        .all(|line| line.is_empty() || line.starts_with(b"#") || line == b"---")
}

/// The pointer of a member.
pub(crate) fn below(place: &str, key: &str) -> String {
    format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A member that is text.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn version(root: &Value) -> Result<Version, (String, &'static str)> {
    let said = match root.get("openapi") {
        Some(Value::String(version)) => version.clone(),
        Some(Value::Number(version)) => version.to_string(),
        _ if root.get("swagger").is_some() => {
            return Err((
                "the document is OpenAPI 2 (Swagger)".to_owned(),
                "convert it to OpenAPI 3 first, for example with swagger2openapi",
            ));
        }
        _ => {
            return Err((
                "the document has no key openapi".to_owned(),
                "give an OpenAPI 3.0 or 3.1 document",
            ));
        }
    };
    let is = |version: &str| said == version || said.starts_with(&format!("{version}."));
    if is("3.0") {
        return Ok(Version::V30);
    }
    if is("3.1") {
        return Ok(Version::V31);
    }
    let problem = format!("OpenAPI {} is not supported", quoted(&said));
    Err((problem, "3.0 and 3.1 are"))
}

/// Numbers that kept their digits, as numbers.
fn numbers(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let digits = text
                .strip_prefix("${number:")
                .and_then(|text| text.strip_suffix('}'));
            let number = digits.and_then(|digits| serde_json::from_str(digits).ok());
            number.map_or(Value::String(text), Value::Number)
        }
        Value::Array(items) => items.into_iter().map(numbers).collect(),
        Value::Object(map) => {
            let entries = map.into_iter();
            entries.map(|(key, value)| (key, numbers(value))).collect()
        }
        other => other,
    }
}
