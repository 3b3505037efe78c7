//! How a value is written where it is filled in: percent-encoded, form-encoded, as part of a JSON text.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;

/// All but what RFC 3986 §2.3 calls unreserved.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// All but RFC 3986 §3.3 `pchar`.
const PATH: &AsciiSet = &QUERY
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');
/// <https://url.spec.whatwg.org/#application-x-www-form-urlencoded-percent-encode-set>, where a space is a plus.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');
/// What no URL may hold.
const NEVER: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Anywhere that takes text as it is.
    Raw,
    /// A segment of a path (RFC 3986 §3.3 `pchar`): a slash in a value is not a separator.
    Path,
    /// A name or value in a query: only unreserved characters stay (RFC 3986 §2.3).
    Query,
    /// `application/x-www-form-urlencoded` (<https://url.spec.whatwg.org/#urlencoded-serializing>).
    Form,
    /// Within the quotes of a JSON string.
    JsonText,
    /// In the place of a JSON value: a number if it is one, otherwise a string.
    JsonValue,
}

/// Appends `value` as it has to be written there.
pub(crate) fn encode(value: &str, encoding: Encoding, out: &mut String) {
    match encoding {
        Encoding::Raw => out.push_str(value),
        Encoding::Path => percent(value, PATH, out),
        Encoding::Query => percent(value, QUERY, out),
        Encoding::Form => form(value, out),
        Encoding::JsonText => json_text(value, out),
        Encoding::JsonValue if is_plain_number(value) => out.push_str(value),
        Encoding::JsonValue => {
            out.push('"');
            json_text(value, out);
            out.push('"');
        }
    }
}

/// Appends the part of a URL that a definition spells out: its delimiters and percent signs stand, and only what no
/// URL may hold is encoded.
pub(crate) fn url_literal(text: &str, out: &mut String) {
    percent(text, NEVER, out);
}

fn percent(value: &str, encoded: &'static AsciiSet, out: &mut String) {
    out.extend(utf8_percent_encode(value, encoded));
}

fn form(value: &str, out: &mut String) {
    let mut words = value.split(' ');
    percent(words.next().unwrap_or_default(), FORM, out);
    for word in words {
        out.push('+');
        percent(word, FORM, out);
    }
}

fn json_text(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
}

/// Whether a value is a JSON number (RFC 8259 §6) that any receiver can hold: at most 40 characters and two digits of
/// exponent. `007` and `+1` are none, so that codes and telephone numbers stay strings.
fn is_plain_number(value: &str) -> bool {
    fn digits(text: &str) -> (usize, &str) {
        let n = text.bytes().take_while(u8::is_ascii_digit).count();
        (n, &text[n..])
    }
    if value.len() > 40 {
        return false;
    }
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let (whole, mut rest) = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned.starts_with('0')) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let (n, tail) = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = tail;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let (n, tail) = digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
        return (1..=2).contains(&n) && tail.is_empty();
    }
    rest.is_empty()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(value: &str, encoding: Encoding) -> String {
        let mut out = String::new();
        encode(value, encoding, &mut out);
        out
    }

    #[test]
    fn values_cannot_leave_their_place() {
        assert_eq!(encoded("a/b?c d", Encoding::Path), "a%2Fb%3Fc%20d");
        assert_eq!(encoded("a&b=c+d", Encoding::Query), "a%26b%3Dc%2Bd");
        assert_eq!(encoded("a b&c~é", Encoding::Form), "a+b%26c%7E%C3%A9");
        assert_eq!(encoded("\"\u{1}\n", Encoding::JsonText), "\\\"\\u0001\\n");
    }

    #[test]
    fn json_values_are_numbers_only_if_nothing_is_lost() {
        for number in ["0", "-1", "12.50", "1e5", "1E-7", "9007199254740993"] {
            assert_eq!(encoded(number, Encoding::JsonValue), number);
        }
        let long = "1".repeat(41);
        for text in [
            "",
            "-",
            "007",
            "+1",
            "1.",
            ".5",
            "1e",
            "1e999",
            "0x10",
            "NaN",
            " 1",
            "1 ",
            "--1",
            long.as_str(),
        ] {
            assert_eq!(encoded(text, Encoding::JsonValue), format!("\"{text}\""));
        }
    }

    proptest! {
        #[test]
        fn a_json_value_parses_back(value in ".{0,60}") {
            let parsed: serde_json::Value = serde_json::from_str(&encoded(&value, Encoding::JsonValue)).unwrap();
            prop_assert!(parsed.is_number() || parsed.as_str() == Some(value.as_str()));
        }

        #[test]
        fn a_json_value_that_looks_like_a_number_parses(value in "-?[0-9]{1,12}(\\.[0-9]{1,8})?([eE][+-]?[0-9]{1,4})?") {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&encoded(&value, Encoding::JsonValue)).is_ok());
        }

        #[test]
        fn a_form_decodes_back(pairs in proptest::collection::vec((".{0,20}", ".{0,20}"), 0..5)) {
            let text: Vec<_> = pairs.iter()
                .map(|(k, v)| format!("{}={}", encoded(k, Encoding::Form), encoded(v, Encoding::Form)))
                .collect();
            let text = text.join("&");
            let decoded: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            prop_assert_eq!(decoded, pairs);
        }

        #[test]
        fn a_url_parses_back(segment in "[^.]{1,20}", name in ".{1,20}", value in ".{0,20}") {
            let text = format!(
                "http://h/{}?{}={}",
                encoded(&segment, Encoding::Path), encoded(&name, Encoding::Query), encoded(&value, Encoding::Query)
            );
            let url = url::Url::parse(&text).unwrap();
            prop_assert_eq!(url.as_str(), text.as_str(), "encoding leaves nothing for a parser to mend");
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 1);
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, vec![(name, value)]);
        }
    }
}
