//! Scalars of YAML 1.2, as a person would write them where that is safe.

use serde_json::Value;
use std::fmt::Write as _;

/// Words that are not text without quotes, or not everywhere.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// The longest line that a map or list in braces may make.
const WIDTH: usize = 100;

fn is_word(text: &str) -> bool {
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether text can stand without quotes between braces and brackets, and as a key.
fn plain_inside(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_' | '$'))
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_.-$".contains(&b))
        && !is_word(text)
}

/// Whether text can stand without quotes as the value of a key on a line of its own.
fn plain_line(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_' | '$'))
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_.-$ {}()[]=?&%+:;,~@!*'\"<>".contains(&b))
        && !text.contains(": ")
        && !text.ends_with([' ', ':'])
        && !is_word(text)
}

/// The text in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if floodgate_records::printable::shows(c) => out.push(c),
            c if u32::from(c) > 0xffff => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// Text between braces.
pub(crate) fn inside(text: &str) -> String {
    if plain_inside(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Text behind a key.
pub(crate) fn line(text: &str) -> String {
    if plain_line(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A key.
pub(crate) fn key(text: &str) -> String {
    inside(text)
}

/// Text of several lines as a block, or on one line; `indent` is that of the block's lines.
pub(crate) fn block_or_line(text: &str, indent: usize) -> String {
    let lines: Vec<_> = text
        .strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .collect();
    let fits = lines.len() > 1
        && text
            .chars()
            .all(|c| c == '\n' || floodgate_records::printable::shows(c))
        && lines.iter().all(|line| !line.ends_with(' '))
        && !lines[0].starts_with([' ', '#'])
        && !lines[0].is_empty()
        && !lines[lines.len() - 1].is_empty();
    if !fits {
        return line(text);
    }
    let mut out = String::from(if text.ends_with('\n') { "|" } else { "|-" });
    for line in lines {
        out.push('\n');
        if !line.is_empty() {
            let _ = write!(out, "{:indent$}{line}", "");
        }
    }
    out
}

/// `{ a: b, c: d }` of keys and values that are YAML already; `None` if that is too long for a line.
pub(crate) fn map_line(entries: &[(String, String)], indent: usize) -> Option<String> {
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    let line = format!("{{ {} }}", entries.join(", "));
    (line.len() + indent <= WIDTH).then_some(line)
}

/// A JSON value on one line.
pub(crate) fn json_line(value: &Value) -> String {
    match value {
        Value::String(text) => inside(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(json_line).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name), json_line(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A JSON value behind a key: on the same line if it fits, else below, where `indent` is that of the lines below.
pub(crate) fn json(value: &Value, indent: usize) -> String {
    let multi_line = |text: &str| text.contains('\n');
    let is_flat = match value {
        Value::String(text) => return block_or_line(text, indent),
        Value::Array(_) | Value::Object(_) => !any_text(value, &multi_line),
        other => return other.to_string(),
    };
    let flat = json_line(value);
    if is_flat && flat.len() + indent <= WIDTH || flat.len() <= 2 {
        return flat;
    }
    let mut out = String::new();
    match value {
        Value::Array(items) => {
            for item in items {
                // What is nested stands right behind the dash.
                let item = json(item, indent + 2);
                let item = item
                    .strip_prefix('\n')
                    .map_or(item.as_str(), str::trim_start);
                let _ = write!(out, "\n{:indent$}- {item}", "");
            }
        }
        Value::Object(map) => {
            for (name, value) in map {
                let below = json(value, indent + 2);
                let space = if below.starts_with('\n') { "" } else { " " };
                let _ = write!(out, "\n{:indent$}{}:{space}{below}", "", key(name));
            }
        }
        _ => {}
    }
    out
}

/// Whether any text in it is such, keys aside.
fn any_text(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, is)),
        Value::Object(map) => map.values().any(|value| any_text(value, is)),
        _ => false,
    }
}

/// Lines of a comment, wrapped; nothing in them can end one.
pub(crate) fn comment(text: &str, indent: usize) -> String {
    const COLUMNS: usize = 120;
    /// The longest comment in characters.
    const MAX: usize = 1_000;
    let text = floodgate_records::printable::printable(text);
    let mut text: String = text.chars().take(MAX + 1).collect();
    if text.chars().count() > MAX {
        text.pop();
        text.push('…');
    }
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = word.chars().count();
        if column == 0 || column + 1 + width > COLUMNS {
            if column > 0 {
                out.push('\n');
            }
            let _ = write!(out, "{:indent$}#", "");
            column = indent + 1;
        }
        out.push(' ');
        out.push_str(word);
        column += 1 + width;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}
