//! A test definition: YAML or JSON text in, a validated [`Definition`] or all of its faults out.
//!
//! The text becomes a tree with places (bounded against hostile input), `--set` changes it, `${env:…}`, `${secret:…}` and
//! `${param:…}` are resolved, the tree is compared with the tables of known keys that also give the [`schema`], and what
//! depends on several values at once is checked while the [`Definition`] is built. Faults never stop the search for more.

mod decode;
mod fault;
mod field;
mod foreign;
mod keys;
mod local;
mod mask;
pub mod model;
mod overrides;
mod place;
mod resolve;
mod schema;
mod shape;
mod starter;
mod tier;
mod tree;
mod version;
mod yaml;

pub use fault::{Fault, Faults, Place, Severity};
pub use keys::export::EXPORT_SCHEMES;
pub use local::LOCAL_ONLY;
pub use mask::without_credentials;
pub use model::*;
pub use overrides::Overrides;
pub use resolve::{LeftOpen, Reference, References, Resolver};
pub use schema::schema;
pub use starter::starter;
pub use version::version;
pub use yaml::{Bounds, MAX_DEPTH, MAX_NODES, MAX_SCALAR, MAX_SIZE};

use fault::{Issue, Sink};
use place::{Mark, Path};
use shape::Shape;
use std::collections::BTreeSet;

/// The text of a definition.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file's name, for messages.
    pub name: &'a str,
    /// UTF-8, YAML 1.2 or JSON.
    pub text: &'a [u8],
}

/// What came of a definition without faults.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Validated and typed, references resolved: secrets stand in it. Where a reference is [left open](Self::open), a number or a
    /// time is its default or the least that makes sense, a text the reference as it is written, and what cannot be read without
    /// it (a file, a threshold, a check) is left out. It can be sized and summed up, and not be run.
    pub definition: Definition,
    /// The references that stand for nothing here, and may ([`Resolver::leaves_open`]).
    pub open: BTreeSet<Reference>,
    /// The same as warnings, each with the first place that has it.
    pub unset: Vec<Fault>,
    /// The definition as JSON, overrides applied, parameters kept, references unresolved. The same for all ways to write
    /// the same; reading it again gives the same definition.
    pub normalised: serde_json::Value,
    /// The files that it names, relative to its folder, sorted, each once.
    pub files: Vec<String>,
    /// The target as reports may show it: environment variables and parameters resolved, secrets as they are written. A
    /// target with user and password is refused.
    pub shown_target: Option<String>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Fault>,
    /// What a run on one machine does not heed, as warnings.
    pub local: Vec<Fault>,
}

/// Reads a definition.
///
/// ```
/// use floodgate_core::definition::{Overrides, Resolver, Source, parse};
///
/// struct Nothing;
///
/// impl Resolver for Nothing {
///     fn env(&self, _: &str) -> Option<String> {
///         None
///     }
///     fn secret(&self, _: &str) -> Result<String, String> {
///         Err("there are no secrets here".into())
///     }
///     fn file_exists(&self, _: &str) -> bool {
///         false
///     }
/// }
///
/// let read = |rate: &str| {
///     let text = format!(
///         "version: 1
/// project: shop
/// test: browse
/// target: http://127.0.0.1:8080
/// scenarios:
///   browse:
///     executor: constant-arrival-rate
///     rate: {rate}
///     duration: 20s
///     preAllocatedVUs: 10
///     flow:
///       - get: /
/// "
///     );
///     let source = Source { name: "test.yaml", text: text.as_bytes() };
///     parse(&source, &Overrides::default(), &Nothing)
/// };
/// let parsed = read("100")?;
/// assert_eq!(parsed.definition.scenarios[0].name, "browse");
/// let faults = read("many").expect_err("no rate");
/// assert!(faults.to_string().contains("test.yaml:8:"), "{faults}");
/// # Ok::<(), floodgate_core::definition::Faults>(())
/// ```
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(
    source: &Source<'_>,
    overrides: &Overrides,
    resolver: &dyn Resolver,
) -> Result<Parsed, Faults> {
    let text = match std::str::from_utf8(source.text) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(source, error.valid_up_to())),
    };
    let mut sink = Sink::new(source.name, text);
    let mut root = match yaml::read(text, 0, &mut sink) {
        Ok(root) => root,
        Err(issue) => {
            sink.push(*issue);
            return Err(sink.finish());
        }
    };
    if let Some(issue) = foreign::recognise(&root) {
        sink.push(issue);
        return Err(sink.finish());
    }
    tier::set(&mut root, overrides, &mut sink);
    overrides::apply(&mut root, overrides, &mut sink);
    root.label(Path::default());
    let mut normalised = root.to_json();
    if let Some(map) = normalised.as_object_mut() {
        map.retain(|key, _| !key.starts_with(shape::EXTENSION));
    }
    let open = resolve::resolve(&mut root, resolver, &mut sink);
    Shape::Object(&keys::DEFINITION).check(&root, &mut sink);
    tier::scale(&mut root);
    let (definition, files) = decode::definition(&root, resolver, &mut sink);
    if sink.has_errors() {
        return Err(sink.finish());
    }
    let warnings = sink.drain().0;
    let (open, unset): (_, Vec<_>) = open.into_iter().unzip();
    unset.into_iter().for_each(|issue| sink.push(issue));
    let unset = sink.drain().0;
    local::check(&root, definition.engine, &mut sink);
    let target = keys::root::TARGET.place(&root);
    let target = target.and_then(tree::Node::scalar);
    Ok(Parsed {
        shown_target: target.and_then(tree::Scalar::disclosed),
        definition,
        open,
        unset,
        normalised,
        files,
        warnings,
        local: sink.finish().0,
    })
}

/// The tree of a definition as JSON, references unresolved, nothing checked: what can be said of one that has faults. `None` if
/// there is no tree.
pub fn sketch(text: &[u8]) -> Option<serde_json::Value> {
    let text = std::str::from_utf8(text).ok()?;
    let root = yaml::read(text, 0, &mut Sink::new("", text)).ok()?;
    Some(root.to_json())
}

/// Where a value stands in a definition, by its keys; `None` if there is none, as when it is set by an override.
pub fn place_of(source: &Source<'_>, keys: &[&str]) -> Option<Place> {
    let text = std::str::from_utf8(source.text).ok()?;
    let mut sink = Sink::new(source.name, text);
    let root = yaml::read(text, 0, &mut sink).ok()?;
    let node = keys.iter().try_fold(&root, |node, key| node.get(key))?;
    Some(Place {
        file: source.name.to_owned(),
        line: node.mark.line,
        column: node.mark.column,
        path: keys.join("."),
    })
}

/// Any YAML as JSON, nothing checked: `${…}` in it is text, and of keys that stand twice the first counts. A number that JSON would
/// give back in other digits is `"${number:1.10}"`.
///
/// # Errors
/// What is not YAML, with its place, or exceeds the bounds.
pub fn tree(source: &Source<'_>, bounds: Bounds) -> Result<serde_json::Value, Faults> {
    let text =
        std::str::from_utf8(source.text).map_err(|error| not_utf8(source, error.valid_up_to()))?;
    let mut sink = Sink::new(source.name, text);
    match yaml::read_within(text, 0, &mut sink, bounds) {
        Ok(root) => Ok(root.to_json()),
        Err(issue) => {
            let mut sink = Sink::new(source.name, text);
            sink.push(*issue);
            Err(sink.finish())
        }
    }
}

fn not_utf8(source: &Source<'_>, valid: usize) -> Faults {
    let before = String::from_utf8_lossy(&source.text[..valid]);
    let last_line = before.rsplit('\n').next().unwrap_or("");
    let mut sink = Sink::new(source.name, &before);
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mark = Mark {
        line: small(before.matches('\n').count() + 1),
        column: small(last_line.chars().count() + 1),
        ..Mark::start(0)
    };
    let problem = format!("the byte {:#04x} is not UTF-8", source.text[valid]);
    sink.push(Issue::new(mark, &Path::default(), problem).hint("save the file as UTF-8"));
    sink.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
