//! Text from elsewhere, made safe to show.
//!
//! Names and messages come from definitions, scripts, targets, records and the variables of pipelines. On a terminal a
//! control character among them could move the cursor, hide a line or set the title; a mark for right-to-left text could
//! show a word as another one. Whoever writes to a person passes such text through here, once, at the boundary: what is
//! not meant to be seen is shown as its code, and what is stored stays as it was.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character shows what it is: no control character (C0, DEL, C1), none that turns the direction of writing or
/// separates lines, none that cannot be seen at all, and none that XML refuses. The joiners of emoji and of scripts that
/// need them (U+200C, U+200D) pass.
pub const fn shows(c: char) -> bool {
    !matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// The text on one line: `\n`, `\r`, `\t` and `\u{1b}` stand for what does not [show](shows).
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The same, keeping line feeds and tabs: for text that is laid out in lines by us, out of parts that went through
/// [`printable`] where they may hold line feeds of their own.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// JSON that means the same, with an escape for what does not [show](shows). JSON has such characters raw within strings
/// only, and line feeds as white space.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    let passes = |c: char| shows(c) || c == '\n';
    if json.chars().all(passes) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if passes(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(out)
}

/// A text as it stands in a message: quoted, escaped, and cut when it is long.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        format!("{text:?}")
    } else {
        let head: String = text.chars().take(SHOWN).collect();
        format!("{head:?}…")
    }
}

/// Bytes in lower-case hex.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn escaped(text: &str, also: impl Fn(char) -> bool) -> Cow<'_, str> {
    let passes = |c: char| shows(c) || also(c);
    if text.chars().all(passes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if passes(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(hex([0, 10, 255]), "000aff");
        assert_eq!(hex(b""), "");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(printable("plain – ünï 👩‍💻 名"), "plain – ünï 👩‍💻 名");
        assert_eq!(printable("a\u{1b}[31mb"), r"a\u{1b}[31mb");
        assert_eq!(printable("a\n\r\tb"), r"a\n\r\tb");
        assert_eq!(printable("\u{9b}2J\u{7f}"), r"\u{9b}2J\u{7f}");
        assert_eq!(
            printable("\u{202e}txt\u{2069}\u{200f}"),
            r"\u{202e}txt\u{2069}\u{200f}"
        );
        assert_eq!(printable_lines("a\n\tb\r\u{7}"), "a\n\tb\\r\\u{7}");
    }

    proptest! {
        #[test]
        fn nothing_else_is_left(text: String, hostile in "[\\x00-\\x1f\u{7f}-\u{9f}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{e0001}]{0,8}") {
            let all = format!("{text}{hostile}{text}");
            prop_assert!(printable(&all).chars().all(shows));
            prop_assert!(printable_lines(&all).chars().all(|c| shows(c) || c == '\n' || c == '\t'));
        }

        #[test]
        fn json_keeps_its_meaning(text: String, hostile in "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202a}-\u{202e}\u{e0001}]{0,8}") {
            let value = serde_json::json!({ format!("{hostile}{text}"): [hostile] });
            let json = serde_json::to_string_pretty(&value).unwrap();
            let shown = printable_json(&json);
            prop_assert!(shown.chars().all(|c| shows(c) || c == '\n'));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
