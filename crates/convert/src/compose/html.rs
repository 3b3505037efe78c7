//! Values in pages: hidden fields of forms, tokens in `meta`, and whatever else a page gave away.

use regex::{Regex, escape};
use std::sync::LazyLock;

/// Tags that are looked at in a page.
const MAX_TAGS: usize = 500;
/// How much of what stands before a value finds it again, in characters.
const CONTEXT: usize = 40;

static TAG: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)<(?:input|meta)\b(?:[^>"']|"[^"]*"|'[^']*')*>"#).ok());
static ATTRIBUTE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?P<written>(?P<name>[A-Za-z_:][\w:.-]*)\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'))"#).ok()
});

/// A value in a page: what it is called, and the regular expression that finds it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) regex: String,
}

struct Attribute {
    name: String,
    value: String,
    written: String,
    at: usize,
}

/// Hidden fields and `meta` tags of a page.
pub(super) fn hidden(page: &str) -> Vec<Hidden> {
    let Some(tags) = TAG.as_ref() else {
        return Vec::new();
    };
    tags.find_iter(page)
        .take(MAX_TAGS)
        .filter_map(|tag| of_tag(page, tag.as_str()))
        .collect()
}

fn of_tag(page: &str, tag: &str) -> Option<Hidden> {
    let attributes: Vec<Attribute> = ATTRIBUTE
        .as_ref()?
        .captures_iter(tag)
        .map(|found| Attribute {
            name: found["name"].to_ascii_lowercase(),
            value: found
                .name("double")
                .or(found.name("single"))
                .map_or("", |value| value.as_str())
                .to_owned(),
            written: found["written"].to_owned(),
            at: found.get(0).map_or(0, |all| all.start()),
        })
        .collect();
    let attribute = |name: &str| attributes.iter().find(|attribute| attribute.name == name);
    let is_meta = tag
        .get(..5)
        .is_some_and(|lead| lead.eq_ignore_ascii_case("<meta"));
    let value = attribute(if is_meta { "content" } else { "value" })?;
    if !is_meta && !attribute("type").is_some_and(|kind| kind.value.eq_ignore_ascii_case("hidden"))
    {
        return None;
    }
    let name = attribute("name").or_else(|| attribute("property"))?;
    // What is encoded in the page would be sent encoded.
    if value.value.is_empty() || value.value.contains('&') || name.value.is_empty() {
        return None;
    }
    let quote = if value.written.ends_with('\'') {
        "'"
    } else {
        "\""
    };
    let lead = value.written.split(['"', '\'']).next().unwrap_or("");
    let this = format!("{}{quote}([^{quote}]*){quote}", escape(lead));
    let regex = match name.at < value.at {
        true => format!("{}[^>]*?{this}", escape(&name.written)),
        false => format!("{this}[^>]*?{}", escape(&name.written)),
    };
    finds(&regex, page, &value.value).then(|| Hidden {
        name: name.value.clone(),
        value: value.value.clone(),
        regex,
    })
}

/// A regular expression that finds a value by what stands before it.
pub(super) fn by_context(text: &str, value: &str) -> Option<String> {
    let at = text.find(value)?;
    let before: Vec<char> = text[..at]
        .chars()
        .rev()
        .take(CONTEXT)
        .take_while(|c| !c.is_control())
        .collect();
    let end = text[at + value.len()..]
        .chars()
        .next()
        .filter(|c| "\"'<&;) ,}".contains(*c))?;
    let before: String = before.into_iter().rev().collect();
    // From the beginning of a word on.
    let before = before
        .trim_start_matches(|c: char| c.is_alphanumeric())
        .trim_start();
    let before = if before.is_empty() {
        return None;
    } else {
        before
    };
    let class = if end == ' ' {
        "\\s".to_owned()
    } else {
        escape(&end.to_string())
    };
    let regex = format!("{}([^{class}]+)", escape(before));
    (before.chars().count() >= 4 && finds(&regex, text, value)).then_some(regex)
}

fn finds(regex: &str, text: &str, value: &str) -> bool {
    let found = Regex::new(regex)
        .ok()
        .and_then(|regex| Some(regex.captures(text)?.get(1)?.as_str() == value));
    regex.len() < 1_000 && found == Some(true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hidden_fields_are_found_by_their_names() {
        let page = r#"<meta name="csrf-token" content="tok1"><form><input type="hidden" name="a" value="1x">
            <INPUT VALUE='2y' type='hidden' name='b[c]'><input name="shown" value="no"><input type=hidden name="amp" value="a&amp;b">"#;
        let found = hidden(page);
        let pairs: Vec<_> = found
            .iter()
            .map(|hidden| (hidden.name.as_str(), hidden.value.as_str()))
            .collect();
        assert_eq!(pairs, [("csrf-token", "tok1"), ("a", "1x"), ("b[c]", "2y")]);
        let newer = page.replace("2y", "9z");
        let regex = Regex::new(&found[2].regex).unwrap();
        assert_eq!(&regex.captures(&newer).unwrap()[1], "9z");
    }

    #[test]
    fn other_values_are_found_by_what_stands_before_them() {
        let page = "<script>window.config = {csrf: \"a1b2c3d4e5f6\", x: 1};</script>";
        let regex = by_context(page, "a1b2c3d4e5f6").unwrap();
        assert_eq!(
            &Regex::new(&regex)
                .unwrap()
                .captures(&page.replace("a1b2c3d4e5f6", "zzz"))
                .unwrap()[1],
            "zzz"
        );
        assert_eq!(by_context("a1b2c3d4e5f6", "a1b2c3d4e5f6"), None);
    }
}
