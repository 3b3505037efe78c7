//! Where a text has values that are confidential by their names.

use crate::confidential::is_secret_field;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// A value within a text, and the name that makes it confidential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name of the field, or of one around it.
    pub name: String,
    /// Its value in bytes of the text, without quotes.
    pub value: Range<usize>,
}

/// `"name": "value"`, `name=value` and `<name>value` in text that is nothing we take apart.
static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let json = r#""(?P<json>[A-Za-z0-9_.-]{2,64})"\s*:\s*(?:"(?P<text>(?:[^"\\]|\\.)+)|(?P<number>-?[0-9][0-9.]*))"#;
    let form = r#"(?:^|[?&;\s])(?P<form>[A-Za-z0-9_.\[\]%-]{2,64})=(?P<value>[^"&<>\s]+)"#;
    let xml = r"<(?:[A-Za-z0-9_]+:)?(?P<xml>[A-Za-z0-9_.-]{2,64})(?:\s[^<>]*)?>(?P<content>[^<]+)";
    Regex::new(&format!("{json}|{form}|{xml}")).ok()
});

/// The confidential values of a text in their order: of JSON, of a form or a query, of XML, and of text with such parts.
pub fn secret_members(text: &str) -> Vec<Member> {
    if text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    {
        return of_json(text);
    }
    let found = FIELD.as_ref().into_iter();
    found
        .flat_map(|field| field.captures_iter(text))
        .filter_map(|found| {
            let first = |groups: &[&str]| groups.iter().find_map(|group| found.name(group));
            let name = first(&["json", "form", "xml"])?.as_str();
            is_secret_field(name).then_some(())?;
            Some(Member {
                name: name.to_owned(),
                value: first(&["text", "number", "value", "content"])?.range(),
            })
        })
        .collect()
}

/// The strings and numbers below confidential names, in JSON that is valid.
fn of_json(text: &str) -> Vec<Member> {
    let mut found = Vec::new();
    // The confidential name that an open list or object is below, if any; and that of the value that comes next.
    let mut around: Vec<Option<String>> = Vec::new();
    let mut next: Option<String> = None;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let end = match c {
            '"' => at + 1 + string_length(&text[at + 1..]) + 1,
            '{' | '[' => {
                let outer = around.last().cloned().flatten();
                around.push(next.take().or(outer));
                at + 1
            }
            '}' | ']' => {
                around.pop();
                at + 1
            }
            '-' | '0'..='9' => {
                let ends = |c: char| c == ',' || c == '}' || c == ']' || c.is_whitespace();
                text[at..].find(ends).map_or(text.len(), |end| at + end)
            }
            // Words have nothing to hide.
            _ => at + c.len_utf8(),
        };
        let is_key = c == '"' && text[end..].trim_start().starts_with(':');
        if is_key {
            let name = serde_json::from_str::<String>(&text[at..end]).unwrap_or_default();
            next = Some(name).filter(|name| is_secret_field(name));
        } else if c == '"' || c == '-' || c.is_ascii_digit() {
            let name = next.take().or_else(|| around.last().cloned().flatten());
            let value = match c {
                '"' => at + 1..end - 1,
                _ => at..end,
            };
            found.extend(
                name.filter(|_| !value.is_empty())
                    .map(|name| Member { name, value }),
            );
        } else if c == ',' {
            next = None;
        }
        at = end;
    }
    found
}

/// The bytes of a string of JSON up to its closing quote.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.find(|c| {
        let is_end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        is_end
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidential_values_are_found_by_their_names() {
        for (text, expected) in [
            (
                r#"{"user":"ann","password":"p\" w","n":1}"#,
                &["p\\\" w"][..],
            ),
            (
                r#"[{"pin": 1234, "ok": true}, {"Token" : ["a", {"x": "b"}], "c": "d"}]"#,
                &["1234", "a", "b"],
            ),
            (
                r#"{"password": null, "secret": true, "a": {"token": ""}}"#,
                &[],
            ),
            (
                r#"{"credentials":{"k":"v","n":-1.5},"k":"w"}"#,
                &["v", "-1.5"],
            ),
            (r#"{"broken": 1, "password": "x""#, &["x"]),
            ("a=1&password=p%26w&b=2", &["p%26w"]),
            ("/x?api_key=k1&page=2", &["k1"]),
            ("user[password]=k3&x[token]=k4", &["k3", "k4"]),
            ("<a><s:password>pw</s:password></a>", &["pw"]),
            ("x {\"password\": \"a b\", \"pin\": 12", &["a b", "12"]),
            ("<pin>a b</pin>", &["a b"]),
            ("password=a#b", &["a#b"]),
            ("nothing", &[]),
        ] {
            let found = secret_members(text);
            let values: Vec<_> = found.iter().map(|m| &text[m.value.clone()]).collect();
            assert_eq!(values, expected, "{text}");
        }
    }
}
