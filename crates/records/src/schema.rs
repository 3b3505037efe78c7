//! JSON Schemas of what is published.

/// The JSON Schema (draft 2020-12) of [`crate::summary::Summary`]: of `summary.json`, of `floodgate show ID --json` and of webhooks.
/// New fields may be added to a summary, so the schema allows any; none changes its meaning.
pub const SUMMARY: &str = include_str!("../schemas/summary.schema.json");

/// [`SUMMARY`] as a value.
///
/// # Panics
/// Never: the text is part of the program and tested.
pub fn summary() -> serde_json::Value {
    serde_json::from_str(SUMMARY).expect("the schema is valid JSON, which a test asserts")
}
