//! JSON documents that keep the digits of their numbers: a parsed tree to look into, and the text it came from for what the
//! tree's 64 bits round. (`serde_json`'s own `arbitrary_precision` would change numbers everywhere in the program, and breaks
//! tagged enums: <https://github.com/serde-rs/serde/issues/1183>.)

use floodgate_core::decimal::Decimal;
use serde_json::Value;
use serde_json_path::{JsonPath, PathElement};
use std::borrow::Cow;

/// The byte order mark that some writers put in front (RFC 8259 §8.1: a parser may ignore it).
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Text without a byte order mark in front.
pub(crate) fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(BOM).unwrap_or(text)
}

/// Reads a document. A number past what 64 bits hold (`1e999`) is the largest of its sign in the tree.
///
/// # Errors
/// It is not JSON, or nested deeper than 128 levels.
pub(crate) fn parse(text: &[u8]) -> Result<Value, serde_json::Error> {
    let text = without_bom(text);
    serde_json::from_slice(text).or_else(|error| match clamped(text) {
        Some(clamped) => serde_json::from_slice(&clamped),
        None => Err(error),
    })
}

/// A value of a document, and how to find its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a, 'p> {
    pub(crate) value: &'a Value,
    document: &'a Value,
    text: &'a [u8],
    path: &'p JsonPath,
}

impl<'a, 'p> Node<'a, 'p> {
    /// The first value that `path` selects in a document that was read from `text`.
    pub(crate) fn first(document: &'a Value, text: &'a [u8], path: &'p JsonPath) -> Option<Self> {
        let value = path.query(document).first()?;
        Some(Self {
            value,
            document,
            text: without_bom(text),
            path,
        })
    }

    /// A string as it is, anything else as JSON without blanks, numbers in their own digits.
    pub(crate) fn shown(&self) -> Cow<'a, str> {
        match self.value {
            Value::String(text) => Cow::Borrowed(text),
            value if is_rounded(value) => match self.written() {
                Some(text) => compact(text),
                None => Cow::Owned(value.to_string()),
            },
            value => Cow::Owned(value.to_string()),
        }
    }

    /// The number, if it is one.
    pub(crate) fn number(&self) -> Option<Decimal> {
        let Value::Number(number) = self.value else {
            return None;
        };
        let integer = number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from));
        match integer {
            Some(integer) => Some(Decimal::from(integer)),
            None => Decimal::parse(self.written()?),
        }
    }

    /// The value's own text.
    fn written(&self) -> Option<&'a str> {
        let located = self.path.query_located(self.document).into_iter().next()?;
        written(self.text, located.location().iter())
    }
}

/// The values that `path` selects in a document that was read from `text`, in their order: a string as it is, anything else as JSON
/// without blanks, numbers in their own digits.
pub(crate) fn all<'a>(
    document: &'a Value,
    text: &'a [u8],
    path: &JsonPath,
) -> impl Iterator<Item = Cow<'a, str>> {
    let text = without_bom(text);
    let found = path.query_located(document).all();
    found.into_iter().map(move |node| match node.node() {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        value if is_rounded(value) => written(text, node.location().iter())
            .map_or_else(|| Cow::Owned(value.to_string()), compact),
        value => Cow::Owned(value.to_string()),
    })
}

/// The text of a member of an object that was read from `text`.
pub(crate) fn member<'a>(text: &'a [u8], name: &str, value: &Value) -> Cow<'a, str> {
    let own = is_rounded(value)
        .then(|| written(without_bom(text), [PathElement::Name(name)].iter()))
        .flatten();
    own.map_or_else(|| Cow::Owned(value.to_string()), compact)
}

/// Whether the tree may hold other digits than the text: those of integers within 64 bits are the same in both.
fn is_rounded(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(is_rounded),
        Value::Object(members) => members.values().any(is_rounded),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// The text of the value at a place in a sound document.
fn written<'a, 'p>(
    text: &'a [u8],
    path: impl Iterator<Item = &'p PathElement<'p>>,
) -> Option<&'a str> {
    let mut at = blanks(text, 0);
    for element in path {
        at = match element {
            PathElement::Name(name) => find_member(text, at, name)?,
            PathElement::Index(index) => find_item(text, at, *index)?,
        };
    }
    std::str::from_utf8(&text[at..end_of_value(text, at)]).ok()
}

/// Where the value of a member begins; of several of that name the last one counts, as for the parser.
fn find_member(text: &[u8], object: usize, name: &str) -> Option<usize> {
    let mut found = None;
    let mut at = blanks(text, object + 1);
    while text.get(at) == Some(&b'"') {
        let key = at..end_of_string(text, at);
        let colon = blanks(text, key.end);
        let value = blanks(text, colon + 1);
        // Most keys have no escapes, and can be compared as they stand.
        let own = &text[key.clone()];
        let plain = own.get(1..own.len() - 1)? == name.as_bytes();
        if plain || serde_json::from_slice::<String>(own).is_ok_and(|key| key == name) {
            found = Some(value);
        }
        at = next_part(text, value)?;
    }
    found
}

fn find_item(text: &[u8], array: usize, index: usize) -> Option<usize> {
    (0..index).try_fold(blanks(text, array + 1), |at, _| next_part(text, at))
}

/// Where the part behind the value at `at` begins: behind a comma, or at the closing bracket.
fn next_part(text: &[u8], at: usize) -> Option<usize> {
    let end = blanks(text, end_of_value(text, at));
    match text.get(end)? {
        b',' => Some(blanks(text, end + 1)),
        _ => Some(end),
    }
}

fn blanks(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| b" \t\r\n".contains(b)).count()
}

/// Behind the closing quote of the string that begins at `at`.
fn end_of_string(text: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(b) = text.get(end) {
        match b {
            b'"' => return end + 1,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    text.len()
}

fn end_of_value(text: &[u8], at: usize) -> usize {
    let (mut end, mut depth) = (at, 0_usize);
    while let Some(b) = text.get(end) {
        match b {
            b'"' => end = end_of_string(text, end),
            b'[' | b'{' => (depth, end) = (depth + 1, end + 1),
            b']' | b'}' if depth > 0 => (depth, end) = (depth - 1, end + 1),
            b']' | b'}' => return end,
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth > 0 => {
                end += 1;
                continue;
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' => return end,
            _ => end += 1,
        }
        let closed = matches!(text[end - 1], b'"' | b']' | b'}');
        if depth == 0 && closed {
            return end;
        }
    }
    end
}

/// JSON without the blanks between its tokens.
fn compact(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut kept, mut from, mut at) = (String::new(), 0, 0);
    while let Some(b) = bytes.get(at) {
        match b {
            b'"' => at = end_of_string(bytes, at),
            b' ' | b'\t' | b'\r' | b'\n' => {
                kept.push_str(&text[from..at]);
                at = blanks(bytes, at);
                from = at;
            }
            _ => at += 1,
        }
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    kept.push_str(&text[from..]);
    Cow::Owned(kept)
}

/// The document with each number past the range of 64-bit floats replaced by the largest one; `None` if there is none.
fn clamped(text: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(b) = text.get(at) {
        match b {
            b'"' => at = end_of_string(text, at),
            b'-' | b'0'..=b'9' => {
                let start = at;
                let in_number = |b: &&u8| b.is_ascii_digit() || b"+-.eE".contains(b);
                at += text[at..].iter().take_while(in_number).count();
                let own = std::str::from_utf8(&text[start..at]).unwrap_or_default();
                let huge = own.parse::<f64>().is_ok_and(f64::is_infinite);
                if huge && floodgate_core::decimal::is_json_number(own) {
                    let largest = if own.starts_with('-') {
                        f64::MIN
                    } else {
                        f64::MAX
                    };
                    out.extend_from_slice(&text[from..start]);
                    out.extend_from_slice(format!("{largest:e}").as_bytes());
                    from = at;
                }
            }
            _ => at += 1,
        }
    }
    if from == 0 {
        return None;
    }
    out.extend_from_slice(&text[from..]);
    Some(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, path: &str) -> String {
        let document = parse(text.as_bytes()).unwrap();
        let path = JsonPath::parse(path).unwrap();
        Node::first(&document, text.as_bytes(), &path)
            .unwrap()
            .shown()
            .into_owned()
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = "\u{feff} {\"a\\u0062\": [ 1 , 1.10, {\"x\": 1e3 , \"y\" : \"1.10 \\\" ]\"} ],\n \"n\":-0, \"big\":18446744073709551616,\
                    \"twice\": 1.0, \"twice\": 2.50, \"far\":1e999, \"long\":0.1234567890123456789}";
        for (path, expected) in [
            ("$.ab[0]", "1"),
            ("$.ab[1]", "1.10"),
            ("$.ab[2].x", "1e3"),
            ("$['ab'][-1]", r#"{"x":1e3,"y":"1.10 \" ]"}"#),
            ("$.ab", r#"[1,1.10,{"x":1e3,"y":"1.10 \" ]"}]"#),
            ("$.n", "-0"),
            ("$.big", "18446744073709551616"),
            ("$.twice", "2.50"),
            ("$.far", "1e999"),
            ("$..x", "1e3"),
            ("$[?@ == 2.5]", "2.50"),
            ("$.long", "0.1234567890123456789"),
        ] {
            assert_eq!(shown(text, path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for text in [
            "",
            "1e999x",
            "{\"a\":-1e999",
            "[1e999,]",
            "01",
            "-e999",
            "1e999 1",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"[1e999, -1e999, \"1e999\"]").is_ok());
    }

    fn any_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?".boxed(),
            Just("null".to_owned()).boxed(),
            "[a-z\\[\\]{}\", \\\\é]{0,6}"
                .prop_map(|text| Value::String(text).to_string())
                .boxed(),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let items = proptest::collection::vec(inner.clone(), 0..4);
            let members = proptest::collection::btree_map("[a-c\"]{0,2}", inner, 0..4);
            prop_oneof![
                items.prop_map(|items| format!("[ {} ]", items.join(" , "))),
                members.prop_map(|members| {
                    let members = members.iter();
                    let pairs: Vec<_> = members
                        .map(|(k, v)| format!("{} :\n{v}", Value::from(k.as_str())))
                        .collect();
                    format!("{{{}}}", pairs.join(",\t"))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_place_has_the_text_that_parses_to_it(text in any_json()) {
            let document = parse(text.as_bytes()).unwrap();
            for node in JsonPath::parse("$..*").unwrap().query_located(&document).iter() {
                let own = written(text.as_bytes(), node.location().iter()).unwrap();
                prop_assert_eq!(&parse(own.as_bytes()).unwrap(), node.node(), "{} in {}", own, text);
                let dense = compact(own);
                prop_assert_eq!(&parse(dense.as_bytes()).unwrap(), node.node());
            }
        }

        #[test]
        fn no_text_is_a_panic(text in "[\\[\\]{}\",:0-9eE.+\\\\ a-]{0,40}") {
            drop(parse(text.as_bytes()));
            let path = [PathElement::Name("a"), PathElement::Index(1)];
            let _ = written(text.as_bytes(), path.iter());
            drop(compact(&text));
        }
    }
}
