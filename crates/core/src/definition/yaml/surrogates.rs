//! Pairs of escapes in JSON, such as `\\ud83d\\ude00`: YAML has one escape for such a character, and refuses halves.

use std::collections::BTreeMap;

/// How much longer a pair of escapes of JSON is than the one of YAML, in characters.
const SHORTER: usize = 12 - 10;

/// By line from 1, the columns from 0 behind joined escapes, in the text that has them joined.
pub(super) type Ends = BTreeMap<usize, Vec<usize>>;

/// JSON that YAML reads.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) text: String,
    pub(super) ends: Ends,
}

/// Joins the pairs of a JSON text; `None` if it has none, or is no JSON: elsewhere such text may mean itself.
pub(super) fn joined(text: &str) -> Option<Joined> {
    let begins = text.trim_start().starts_with(['{', '[']);
    let may_have = || text.contains("\\ud") || text.contains("\\uD");
    let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if !begins || !may_have() || !is_json() {
        return None;
    }
    let mut joined = Joined {
        text: String::with_capacity(text.len()),
        ends: Ends::new(),
    };
    let (mut line, mut column) = (1, 0);
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        for c in before.chars() {
            (line, column) = if c == '\n' {
                (line + 1, 0)
            } else {
                (line, column + 1)
            };
        }
        joined.text.push_str(before);
        let length = match pair(escape) {
            Some(c) => {
                joined.text.push_str(&format!("\\U{:08x}", u32::from(c)));
                column += 10;
                joined.ends.entry(line).or_default().push(column);
                12
            }
            None => {
                // Whatever is escaped: JSON that is valid has a character there.
                let length = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
                joined.text.push_str(&escape[..length]);
                column += 2;
                length
            }
        };
        rest = &escape[length..];
    }
    joined.text.push_str(rest);
    Some(joined).filter(|joined| !joined.ends.is_empty())
}

/// The character of a pair of escapes.
fn pair(escape: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let units = [unit(0)?, unit(6)?];
    let mut decoded = char::decode_utf16(units);
    let c = decoded.next()?.ok()?;
    decoded.next().is_none().then_some(c)
}

/// How many characters later a column of the joined text stands in the original.
pub(super) fn shift(ends: &Ends, line: usize, column: usize) -> usize {
    let before = |ends: &Vec<usize>| ends.iter().filter(|end| **end <= column).count();
    ends.get(&line).map_or(0, before) * SHORTER
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_joined_in_json_alone() {
        let joined = |text: &str| joined(text).map(|joined| joined.text);
        let text = r#"{"a\\ud83d\\ude00": "\ud83d\ude00\n\u00e9", "b": "\uD83D\uDE00"}"#;
        let expected = r#"{"a\\ud83d\\ude00": "\U0001f600\n\u00e9", "b": "\U0001f600"}"#;
        assert_eq!(joined(text).unwrap(), expected);
        for none in [
            r#"{"a": "\ud83d"}"#,
            r"a: '\ud83d\ude00'",
            r"{a: '\ud83d\ude00'}",
            "{}",
        ] {
            assert_eq!(joined(none), None, "{none}");
        }
    }
}
