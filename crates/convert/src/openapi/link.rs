//! Which parameter of a path is the id of something that another operation creates or lists.

use super::document::Document;
use super::operation::Operation;
use super::sample::kind;
use crate::compose::singular;
use serde_json::Value;

/// An id that an operation's response has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The operation, by its place in the group.
    pub(super) from: usize,
    pub(super) extractor: String,
    /// Whether the operation creates the thing, and does not only list it.
    pub(super) creates: bool,
}

/// Where the parameter of a path may come from, among the operations before this one.
pub(super) fn find(
    document: &Document,
    before: &[Operation<'_>],
    path: &str,
    parameter: &str,
) -> Option<Link> {
    let at = path.find(&format!("{{{parameter}}}"))?;
    let collection = path[..at].trim_end_matches('/');
    let link = |method: &str, creates: bool| {
        let candidates = before.iter().enumerate().filter(|(_, operation)| {
            operation.method == method && operation.path.trim_end_matches('/') == collection
        });
        candidates.into_iter().find_map(|(from, operation)| {
            let schema = success(document, operation)?;
            let extractor = match creates {
                true => id(document, schema, collection, parameter, 0),
                false => listed(document, schema, collection, parameter),
            };
            Some(Link {
                from,
                extractor: extractor?,
                creates,
            })
        })
    };
    link("POST", true).or_else(|| link("GET", false))
}

/// The JSON schema of a successful response.
fn success<'a>(document: &'a Document, operation: &Operation<'a>) -> Option<&'a Value> {
    let responses = operation.about.get("responses")?.as_object()?;
    let (_, response) = responses
        .iter()
        .find(|(status, _)| status.starts_with('2'))?;
    let content = document.resolve(response).get("content")?.as_object()?;
    let (_, json) = content.iter().find(|(mime, _)| mime.contains("json"))?;
    Some(document.resolve(json.get("schema")?))
}

/// The JSONPath of an id in an object.
fn id(
    document: &Document,
    schema: &Value,
    collection: &str,
    parameter: &str,
    depth: usize,
) -> Option<String> {
    let thing = singular(
        collection
            .rsplit('/')
            .find(|part| !part.starts_with('{'))
            .unwrap_or(""),
    );
    let own = |name: &str| {
        let name = name.to_ascii_lowercase().replace(['_', '-'], "");
        let wanted = parameter.to_ascii_lowercase().replace(['_', '-'], "");
        name == wanted
            || name == "id"
            || name == "uuid"
            || name == format!("{}id", thing.to_ascii_lowercase())
    };
    if depth > 4 {
        return None;
    }
    for part in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let Some(found) = id(
            document,
            document.resolve(part),
            collection,
            parameter,
            depth + 1,
        ) {
            return Some(found);
        }
    }
    let properties = schema.get("properties")?.as_object()?;
    // The parameter's own name says more than `id`.
    let exact = properties.keys().find(|name| *name == parameter);
    let found = exact.or_else(|| properties.keys().find(|name| own(name)));
    if let Some(name) = found.filter(|name| is_name(name)) {
        return Some(format!("$.{name}"));
    }
    ["data", "result", thing.as_str()]
        .iter()
        .find_map(|wrapper| {
            let inner = document.resolve(properties.get(*wrapper)?);
            let inner = id(document, inner, collection, parameter, depth + 1)?;
            is_name(wrapper).then(|| format!("$.{wrapper}{}", &inner[1..]))
        })
}

/// The JSONPath of the first id in a list, or in the list that an object has.
fn listed(
    document: &Document,
    schema: &Value,
    collection: &str,
    parameter: &str,
) -> Option<String> {
    if kind(schema) == "array" {
        let inner = id(
            document,
            document.member(schema, "items"),
            collection,
            parameter,
            0,
        )?;
        return Some(format!("$[0]{}", &inner[1..]));
    }
    let properties = schema.get("properties")?.as_object()?;
    properties
        .iter()
        .filter(|(name, _)| is_name(name))
        .find_map(|(name, property)| {
            let property = document.resolve(property);
            let items = Some(property).filter(|property| kind(property) == "array")?;
            let inner = id(
                document,
                document.member(items, "items"),
                collection,
                parameter,
                0,
            )?;
            Some(format!("$.{name}[0]{}", &inner[1..]))
        })
}

fn is_name(name: &str) -> bool {
    floodgate_core::template::is_name(name) && !matches!(name, "length" | "size" | "count")
}
