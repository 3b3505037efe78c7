//! Words as Windows' command processor and C runtime take them apart
//! (<https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments>), as browsers write them for "copy as cURL (cmd)".

use super::Line;

/// Whether a text is written for cmd: carets before quotes or at the ends of lines.
pub(super) fn is_cmd(text: &str) -> bool {
    text.contains("^\"")
        || text
            .lines()
            .any(|line| line.trim_end().ends_with('^') && !line.contains('\''))
}

/// A character, and whether a caret or quotes made it stand for itself.
type Char = (char, bool);

/// The commands of a text.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut all = Vec::new();
    let mut current: Vec<Char> = Vec::new();
    let (mut line, mut began, mut quoted) = (1, 1, false);
    let text = text.replace("\r\n", "\n");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '^' if !quoted => match chars.next() {
                // The line goes on; a second line feed is one that is meant.
                Some('\n') => {
                    line += 1;
                    if chars.next_if_eq(&'\n').is_some() {
                        line += 1;
                        current.push(('\n', true));
                    }
                }
                Some(c) => current.push((c, true)),
                None => {}
            },
            '"' => {
                quoted = !quoted;
                current.push((c, false));
            }
            '\n' | '&' if !quoted => {
                all.push((began, std::mem::take(&mut current)));
                began = line;
            }
            c => current.push((c, false)),
        }
    }
    all.push((began, current));
    all.into_iter()
        .map(|(line, chars)| Line {
            line,
            words: words(&chars),
            ..Line::default()
        })
        .filter(|line| !line.words.is_empty())
        .collect()
}

/// The arguments that a program gets. A quote is one whether a caret stood before it or not.
fn words(chars: &[Char]) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let (mut quoted, mut at) = (false, 0);
    while at < chars.len() {
        let (c, meant) = chars[at];
        let slashes = chars[at..].iter().take_while(|(c, _)| *c == '\\').count();
        if slashes > 0 {
            let is_before_quote = chars.get(at + slashes).is_some_and(|(c, _)| *c == '"');
            let kept = if is_before_quote {
                slashes / 2
            } else {
                slashes
            };
            word.get_or_insert_default()
                .extend(std::iter::repeat_n('\\', kept));
            at += slashes;
            if is_before_quote && slashes % 2 == 1 {
                word.get_or_insert_default().push('"');
                at += 1;
            }
            continue;
        }
        match c {
            '"' if quoted && chars.get(at + 1).is_some_and(|(c, _)| *c == '"') => {
                word.get_or_insert_default().push('"');
                at += 1;
            }
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted && !(meant && c == '\n') => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
        at += 1;
    }
    words.extend(word);
    words
}
