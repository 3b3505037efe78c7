//! Text in Markdown that stays text: on GitHub, on GitLab, in a cell of a table.

use floodgate_records::printable::printable;
use std::fmt::Write as _;

/// The longest text that is shown, in characters.
const LONGEST: usize = 300;

/// A text on one line. Characters that mean something in Markdown or HTML are written as entities, which mean nothing; those that refer to people,
/// issues, labels or pictures are also kept apart from what follows, since references are looked for once entities are resolved.
pub(super) fn text(text: &str) -> String {
    let shown = printable(text);
    let mut out = String::with_capacity(shown.len());
    let mut before = ' ';
    let mut number = true;
    let mut rest = shown.chars().peekable();
    for n in 0.. {
        let Some(c) = rest.next() else { break };
        if n == LONGEST {
            out.push('…');
            break;
        }
        match c {
            '@' | '#' | ':' | '!' | '$' | '~' | '^' | '&' | '"' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "&#{};<!-- -->", u32::from(c));
            }
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '\'' => entity(&mut out, c),
            // Within a word it means nothing, and metrics are full of it.
            '_' if !(before.is_alphanumeric()
                && rest.peek().is_some_and(|c| c.is_alphanumeric())) =>
            {
                entity(&mut out, c);
            }
            // A list begins with these, or a line below a heading.
            '-' | '+' | '=' if n == 0 => entity(&mut out, c),
            '.' | ')' if number && n > 0 => entity(&mut out, c),
            // `www.` begins a link.
            '.' if before.eq_ignore_ascii_case(&'w') => out.push_str("&#46;"),
            c => out.push(c),
        }
        number &= c.is_ascii_digit();
        before = c;
    }
    out
}

fn entity(out: &mut String, c: char) {
    // Writing to a string cannot fail.
    let _ = write!(out, "&#{};", u32::from(c));
}

/// A name in the type of code, in which nobody is mentioned.
pub(super) fn code(name: &str) -> String {
    format!("<code>{}</code>", text(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_an_entity() {
        let hostile = "a|b `c` <img src=x> [l](http://x) @all #1 **b** www.x.y \\| ~~s~~ :smile: $x$ a@b.c &amp;";
        let shown = text(hostile);
        let raw = ['|', '`', '<', '>', '[', ']', '@', '*', '\\', '~', '$', '"'];
        let outside = shown.replace("<!-- -->", "");
        assert!(!outside.contains(raw), "{shown}");
        // All that is left of these are the entities' own.
        assert_eq!(outside.matches('#').count(), outside.matches("&#").count());
        assert_eq!(outside.matches('&').count(), outside.matches("&#").count());
        assert!(!shown.contains("http:") && !shown.contains("www."));
        assert_eq!(
            text("http_req_duration p(95)=212.4 ms, 99 %"),
            "http_req_duration p(95)=212.4 ms, 99 %"
        );
        assert_eq!(text("_a_ b"), "&#95;a&#95; b");
        assert_eq!(
            [text("- a"), text("1. a"), text("99 a.")],
            ["&#45; a", "1&#46; a", "99 a."]
        );
        assert!(!text("a\n# b\r\u{202e}").contains(['\n', '\r', '\u{202e}']));
        assert!(text(&"é".repeat(1_000)).chars().count() <= LONGEST + 1);
    }
}
