//! A property that says which of several schemas a value has: without it, values that fit several would not fit `oneOf`, and of one that
//! fits none nobody could say why.

use crate::document::{Document, Part, text};
use crate::error::Fault;
use serde_json::{Map, Value, json};

/// Puts a choice in the place of `oneOf` or `anyOf` if a discriminator says how to choose. Where it does not say so of each schema, all
/// stays as it is. `refer` makes of a reference what it is in the place of the schema.
pub(super) fn chosen(
    document: &Document,
    part: &Part<'_>,
    out: &mut Map<String, Value>,
    mut refer: impl FnMut(&str) -> Result<String, Fault>,
) -> Result<(), Fault> {
    let Some(discriminator) = part.value.get("discriminator") else {
        return Ok(());
    };
    let Some(property) = text(discriminator, "propertyName") else {
        return Ok(());
    };
    let Some((key, branches)) = ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| Some((*key, part.value.get(*key)?.as_array()?)))
    else {
        return Ok(());
    };
    let mut choices = Vec::new();
    for branch in branches {
        let Some(reference) = text(branch, "$ref") else {
            return Ok(());
        };
        let names = names(document, discriminator, reference);
        let behind = refer(reference)?;
        choices.push((names, behind));
    }
    let known: Vec<_> = choices
        .iter()
        .flat_map(|(names, _)| names.clone())
        .collect();
    let mut all: Vec<_> = choices
        .into_iter()
        .map(|(names, behind)| {
            json!({
                "if": {"properties": {property: {"enum": names}}, "required": [property]},
                "then": {"$ref": behind},
            })
        })
        .collect();
    all.push(json!({
        "type": "object",
        "required": [property],
        "properties": {property: {"enum": known}},
    }));
    out.remove(key);
    // What stands in `allOf` already goes on to hold.
    if let Some(Value::Array(own)) = out.remove("allOf") {
        all.extend(own);
    }
    out.insert("allOf".into(), Value::Array(all));
    Ok(())
}

/// What the property of values of a schema is: what the mapping says, or else the schema's own name.
fn names(document: &Document, discriminator: &Value, reference: &str) -> Vec<String> {
    let mapping = discriminator.get("mapping").and_then(Value::as_object);
    let mapped = mapping.into_iter().flatten().filter(|(_, to)| {
        to.as_str().is_some_and(|to| {
            // A bare name is that of a component.
            let component = format!("#/components/schemas/{to}");
            let is_name = document.at("", &component).is_ok();
            to == reference || is_name && component == reference
        })
    });
    let mapped: Vec<_> = mapped.map(|(name, _)| name.clone()).collect();
    match mapped.is_empty() {
        true => {
            let own = reference.rsplit('/').next().unwrap_or_default();
            vec![own.to_owned()]
        }
        false => mapped,
    }
}
