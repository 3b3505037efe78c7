//! The shape in which k6 writes a sample, cut up without a JSON parser.
//!
//! ```text
//! {"metric":"http_reqs","type":"Point","data":{"time":"2026-…Z","value":1,"tags":{"group":"",…}}}
//! ```
//! 1.x (easyjson) and 2.x (`encoding/json`) write the members in this order and without spaces; `,"metadata":{…}` may stand behind the
//! tags. Whatever else a line may be is left to a JSON parser.

use memchr::{memchr, memchr2};

/// The parts of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point<'a> {
    pub(super) metric: &'a [u8],
    pub(super) time: &'a [u8],
    pub(super) value: f64,
    /// From the opening brace of the tags to the end of the line.
    pub(super) rest: &'a [u8],
}

/// Cuts a line; `None` if it has another shape.
#[inline]
pub(super) fn cut(line: &[u8]) -> Option<Point<'_>> {
    let rest = line.strip_prefix(b"{\"metric\":\"")?;
    let end = memchr(b'"', rest)?;
    let (metric, rest) = (&rest[..end], &rest[end..]);
    let rest = rest.strip_prefix(b"\",\"type\":\"Point\",\"data\":{\"time\":\"")?;
    let end = memchr(b'"', rest)?;
    let (time, rest) = (&rest[..end], &rest[end..]);
    let rest = rest.strip_prefix(b"\",\"value\":")?;
    let (value, rest) = number(rest)?;
    let rest = rest.strip_prefix(b",\"tags\":")?;
    // A name with an escape in it is none that k6 allows.
    (rest.first() == Some(&b'{') && !metric.contains(&b'\\')).then_some(Point {
        metric,
        time,
        value,
        rest,
    })
}

/// A number and what follows it.
#[inline]
pub(super) fn number(text: &[u8]) -> Option<(f64, &[u8])> {
    /// Powers of ten that a double holds exactly.
    const POWERS: [f64; 20] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19,
    ];
    let (mut mantissa, mut digits, mut decimals) = (0u64, 0usize, None);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' if digits < 19 => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            b'.' if decimals.is_none() && digits > 0 => decimals = Some(digits),
            b'-' | b'+' | b'e' | b'E' | b'.' | b'0'..=b'9' => return number_slowly(text),
            _ => {
                let scale = digits - decimals.unwrap_or(digits);
                if digits == 0 || decimals == Some(digits) {
                    return None;
                }
                if mantissa > 1 << 53 {
                    return number_slowly(text);
                }
                // Both are exact, so that the quotient is rounded once: correctly.
                return Some((mantissa as f64 / POWERS[scale], &text[at..]));
            }
        }
    }
    number_slowly(text)
}

#[cold]
fn number_slowly(text: &[u8]) -> Option<(f64, &[u8])> {
    let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'e' | b'E' | b'.');
    let end = text.iter().take_while(is_part).count();
    let value = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((value, &text[end..]))
}

/// The length of a flat JSON object at the beginning, braces included; `None` if there is none, or with another object or a list in it.
pub(super) fn object_len(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    while let Some(found) = memchr2(b'"', b'}', text.get(at..)?) {
        let between = &text[at..at + found];
        if between.iter().any(|byte| matches!(byte, b'{' | b'[')) {
            return None;
        }
        at += found + 1;
        if text[at - 1] == b'}' {
            return Some(at);
        }
        at += string_len(text.get(at..)?)?;
    }
    None
}

/// The length of the rest of a string, its closing quote included.
fn string_len(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)? + 1;
        if text[at - 1] == b'"' {
            return Some(at);
        }
        // The escaped character is not an end, whatever it is.
        at += 1;
    }
}

/// Whether what follows the tags ends the sample: `}}`, or metadata before it.
#[inline]
pub(super) fn is_end(rest: &[u8]) -> bool {
    rest == b"}}"
        || rest
            .strip_prefix(b",\"metadata\":")
            .is_some_and(|rest| object_len(rest).is_some_and(|len| &rest[len..] == b"}}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sample_is_cut_into_its_parts() {
        let line = br#"{"metric":"http_reqs","type":"Point","data":{"time":"T","value":1.5,"tags":{"a":"}\"","b":""},"metadata":{"vu":"1"}}}"#;
        let point = cut(line).unwrap();
        assert_eq!(
            (point.metric, point.time, point.value),
            (&b"http_reqs"[..], &b"T"[..], 1.5)
        );
        let len = object_len(point.rest).unwrap();
        assert_eq!(&point.rest[..len], br#"{"a":"}\"","b":""}"#);
        assert!(is_end(&point.rest[len..]));
        assert!(!is_end(b"}"));
        assert!(!is_end(b",\"metadata\":{}"));
    }

    #[test]
    fn other_shapes_are_not_cut() {
        for line in [
            &br#"{"type":"Metric","data":{},"metric":"vus"}"#[..],
            br#"{"metric":"a","type":"Point","data":{"time":"T","value":x,"tags":{}}}"#,
            br#"{"metric":"a","type":"Point","data":{"time":"T","value":1,"tags":null}}"#,
            br#"{"metric": "a","type":"Point"}"#,
            b"",
        ] {
            assert_eq!(cut(line), None, "{}", String::from_utf8_lossy(line));
        }
        assert_eq!(object_len(b"{\"a\":{}}"), None);
        assert_eq!(object_len(b"{\"a\":\"x"), None);
        assert_eq!(object_len(b"{\"a\":\"x\\"), None);
        assert_eq!(object_len(b"{"), None);
        assert_eq!(object_len(b""), None);
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_the_standard_library_does(value in any::<f64>().prop_filter("finite", |v| v.is_finite()), decimals in 0usize..12) {
            for text in [format!("{value},"), format!("{value:e},"), format!("{:.*},", decimals, value % 1e9)] {
                let expected: f64 = text[..text.len() - 1].parse().unwrap();
                prop_assert_eq!(number(text.as_bytes()), Some((expected, &b","[..])), "{}", text);
            }
        }

        #[test]
        fn an_object_ends_where_a_json_parser_says(tags in prop::collection::btree_map("\\PC{0,8}", "[\\PC\"\\\\{}]{0,12}", 0..5), after in "[}\",a]{0,8}") {
            let object = serde_json::to_string(&tags).unwrap();
            let text = format!("{object}{after}");
            prop_assert_eq!(object_len(text.as_bytes()), Some(object.len()));
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(prop::sample::select(b"{}\"\\,:.e-1a[".to_vec()), 0..60)) {
            let _ = (cut(&bytes), object_len(&bytes), number(&bytes), is_end(&bytes));
        }
    }
}
