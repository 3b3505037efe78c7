//! JSON Schemas of what is published.

/// The JSON Schema (draft 2020-12) of [`crate::summary::Summary`]: of `summary.json` and of `floodgate show ID --json`.
/// New fields may be added to a summary, so the schema allows any; none changes its meaning.
pub const SUMMARY: &str = include_str!("../schemas/summary.schema.json");

/// [`SUMMARY`] as a value.
///
/// # Panics
/// Never: the text is part of the program and tested.
pub fn summary() -> serde_json::Value {
    serde_json::from_str(SUMMARY).expect("the schema is valid JSON, which a test asserts")
}

/// The JSON Schema of notifications: of what webhooks, SNS topics and event buses are sent.
pub const NOTIFICATION: &str = include_str!("../schemas/notification.schema.json");

/// [`NOTIFICATION`] as a value.
///
/// # Panics
/// Never: the text is part of the program and tested.
pub fn notification() -> serde_json::Value {
    serde_json::from_str(NOTIFICATION).expect("the schema is valid JSON, which a test asserts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::audit::Action;
    use crate::connections::TlsResumption;
    use crate::cost::{Charge, ChargeUnit};
    use crate::engine::Engine;
    use crate::execution::{InfrastructureKind, TriggerKind};
    use crate::manifest::TaskEnding;
    use crate::outcome::Operator;

    #[test]
    fn the_schema_of_notifications_has_all_events() {
        let schema = notification();
        let events = serde_json::json!(crate::notify::Event::WORDS);
        assert_eq!(
            schema["$defs"]["run"]["properties"]["events"]["items"]["enum"],
            events
        );
        let types: Vec<_> = crate::notify::Event::WORDS
            .iter()
            .map(|e| format!("run.{e}"))
            .collect();
        assert_eq!(
            schema["properties"]["type"]["enum"],
            serde_json::json!(types)
        );
    }

    #[test]
    fn the_schema_lists_the_words_and_takes_others() {
        let schema = summary();
        for (place, words) in [
            (
                "/properties/infrastructure/properties/kind",
                InfrastructureKind::WORDS,
            ),
            (
                "/properties/infrastructure/properties/architecture",
                Architecture::WORDS,
            ),
            (
                "/properties/cost/properties/items/items/properties/what",
                Charge::WORDS,
            ),
            (
                "/properties/cost/properties/items/items/properties/unit",
                ChargeUnit::WORDS,
            ),
            (
                "/properties/connections/properties/tls_resumption/items",
                TlsResumption::WORDS,
            ),
            ("/$defs/generator/properties/outcome", TaskEnding::WORDS),
        ] {
            let listed = schema.pointer(place).map(|field| &field["anyOf"]);
            let expected = serde_json::json!([{ "enum": words }, { "type": "string" }]);
            assert_eq!(listed, Some(&expected), "{place}");
        }
    }

    #[test]
    fn the_description_of_formats_lists_the_words() {
        let page = include_str!("../../../docs/formats.md");
        for words in [
            Action::WORDS,
            Architecture::WORDS,
            Charge::WORDS,
            ChargeUnit::WORDS,
            Engine::WORDS,
            InfrastructureKind::WORDS,
            Operator::WORDS,
            TaskEnding::WORDS,
            TlsResumption::WORDS,
            TriggerKind::WORDS,
        ] {
            let list = words.iter().map(|word| format!("`{word}`"));
            let list = list.collect::<Vec<_>>().join(", ");
            assert!(page.contains(&list), "docs/formats.md doesn't list {list}");
        }
    }
}
