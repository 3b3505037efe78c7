//! Whatever a record or a summary says, a terminal and XML get text alone.

use super::example::{failed, in_the_cloud, inconclusive};
use super::*;
use floodgate_records::execution::Execution;
use floodgate_records::printable::shows;
use floodgate_records::summary::Summary;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A title, a colour, a cleared screen in C1, a forged line, an order of letters, a sign that XML refuses.
const HOSTILE: &str =
    "\u{1b}]0;pwned\u{7}\u{1b}[31m\u{9b}2J\n✓ FORGED\r\u{202e}txt\u{2066}\u{0}\u{ffff}";

/// The value with [`HOSTILE`] behind every text, and in the keys of every map, that its type takes.
pub(super) fn poisoned<T: Serialize + DeserializeOwned>(value: &T) -> (T, usize) {
    poisoned_with(value, HOSTILE)
}

/// The same with another text.
pub(super) fn poisoned_with<T: Serialize + DeserializeOwned>(
    value: &T,
    hostile: &str,
) -> (T, usize) {
    let mut whole = serde_json::to_value(value).unwrap();
    let mut places = Vec::new();
    collect(&whole, String::new(), &mut places);
    let mut changed = 0;
    for place in places {
        let before = whole.clone();
        match whole.pointer_mut(&place).unwrap() {
            Value::String(text) => text.push_str(hostile),
            Value::Object(map) => {
                let old = std::mem::take(map);
                *map = old
                    .into_iter()
                    .map(|(key, value)| (key + hostile, value))
                    .collect();
            }
            _ => unreachable!("only texts and maps are collected"),
        }
        if serde_json::from_value::<T>(whole.clone()).is_ok() {
            changed += 1;
        } else {
            whole = before;
        }
    }
    (serde_json::from_value(whole).unwrap(), changed)
}

/// The places of texts and of maps, inner ones first: a map's keys are part of what leads to them.
fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(place),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{place}/{index}"), places);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(item, format!("{place}/{key}"), places);
            }
            places.push(place);
        }
        _ => {}
    }
}

#[test]
fn no_text_reaches_a_terminal_or_xml_raw() {
    for (e, s) in [failed(), inconclusive(), in_the_cloud()] {
        let (e, in_record): (Execution, _) = poisoned(&e);
        let (s, in_summary): (Summary, _) = poisoned(&s);
        assert!(
            in_record > 10 && in_summary > 10,
            "{in_record} {in_summary}"
        );
        let list = std::slice::from_ref(&e);
        for width in [60, 80, 120] {
            let style = |color| Style { color, width };
            let bare = summary(&e, &s, style(false)) + &runs(list, style(false));
            assert!(bare.chars().all(|c| shows(c) || c == '\n'), "{bare:?}");
            assert!(bare.contains("pwned"));
            assert!(!bare.lines().any(|line| line.starts_with("✓ FORGED")));
            let styled = summary(&e, &s, style(true)) + &runs(list, style(true));
            let left = console::strip_ansi_codes(&styled);
            assert!(left.chars().all(|c| shows(c) || c == '\n'), "{left:?}");
            // Ours are colours and nothing else, and none but those that are there without the text.
            assert!(!styled.contains("\u{1b}]") && !styled.contains("\u{1b}[31mpwned"));
        }
        let json = json(&s).unwrap();
        assert!(json.chars().all(|c| shows(c) || c == '\n'));
        assert_eq!(serde_json::from_str::<Summary>(&json).unwrap(), s);
        let xml = junit(&e, &s).unwrap();
        assert!(xml.chars().all(|c| shows(c) || c == '\n'), "{xml:?}");
        assert!(
            quick_junit::Report::deserialize_from_str(&xml).is_ok(),
            "{xml}"
        );
    }
}
