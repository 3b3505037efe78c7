//! Changes of a copy of a plan, which keeps every other byte.

use super::model::{Element, Prop, Switch};
use std::ops::Range;

/// Changes of a plan's bytes.
#[derive(Debug, Default)]
pub(in crate::jmeter) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Gives a value another text.
    pub(in crate::jmeter) fn set(&mut self, prop: &Prop, text: &str, bytes: &[u8]) {
        if prop.text == text {
            return;
        }
        let text = escape(text);
        if !prop.closed {
            self.0.push((prop.place.clone(), text));
            return;
        }
        // `<stringProp name="x"/>` becomes `<stringProp name="x">…</stringProp>`.
        let tag = String::from_utf8_lossy(&bytes[prop.place.clone()]).into_owned();
        let open = tag.trim_end_matches('>').trim_end_matches('/').trim_end();
        let name = tag[1..]
            .split([' ', '\t', '\r', '\n', '/'])
            .next()
            .unwrap_or("stringProp");
        self.0
            .push((prop.place.clone(), format!("{open}>{text}</{name}>")));
    }

    /// Turns an element off, and with it everything in its tree.
    pub(in crate::jmeter) fn turn_off(&mut self, element: &Element) {
        let edit = match &element.switch {
            Switch::Value(place) => (place.clone(), "false".to_owned()),
            Switch::Missing(at) => (*at..*at, " enabled=\"false\"".to_owned()),
        };
        self.0.push(edit);
    }

    /// The bytes with all changes made.
    pub(in crate::jmeter) fn apply(mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.sort_by_key(|(place, _)| (place.start, place.end));
        let mut out = Vec::with_capacity(bytes.len() + 256);
        let mut at = 0;
        for (place, text) in self.0 {
            // Two changes of one place are the same change.
            if place.start < at {
                continue;
            }
            out.extend_from_slice(&bytes[at..place.start]);
            out.extend_from_slice(text.as_bytes());
            at = place.end;
        }
        out.extend_from_slice(&bytes[at..]);
        out
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
