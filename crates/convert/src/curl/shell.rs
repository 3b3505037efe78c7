//! Words as a POSIX shell and bash take them apart (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html>), without
//! running anything: expansions stay as they are written.

use super::Line;
use crate::error::ConvertError;

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    all: Vec<Line>,
    current: Line,
    word: Option<String>,
    /// Whether what follows belongs to a pipe or a redirection, and is nothing for curl.
    skipping: bool,
    skip_word: bool,
    comments: Vec<String>,
}

/// The commands of a script.
///
/// # Errors
/// A quote that is not closed.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, ConvertError> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        line: 1,
        all: Vec::new(),
        current: Line::default(),
        word: None,
        skipping: false,
        skip_word: false,
        comments: Vec::new(),
    };
    reader.read()?;
    Ok(reader.all)
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn push(&mut self, c: char) {
        if self.current.words.is_empty() && self.word.is_none() {
            self.current.line = self.line;
        }
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if !std::mem::take(&mut self.skip_word) && !self.skipping {
            self.current.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.skipping = false;
        self.skip_word = false;
        let mut line = std::mem::take(&mut self.current);
        if !line.words.is_empty() {
            line.comments = std::mem::take(&mut self.comments);
            self.all.push(line);
        }
    }

    fn note(&mut self, text: &str) {
        if !self.current.notes.iter().any(|known| known == text) {
            self.current.notes.push(text.to_owned());
        }
    }

    fn read(&mut self) -> Result<(), ConvertError> {
        while let Some(c) = self.next() {
            match c {
                '\\' => match self.next() {
                    Some('\n') | None => {}
                    Some('\r') => drop(self.rest.next_if_eq(&'\n').inspect(|_| self.line += 1)),
                    Some(c) => self.push(c),
                },
                '\'' => self.single()?,
                '"' => self.double()?,
                '$' if self.rest.peek() == Some(&'\'') => {
                    self.next();
                    self.ansi()?;
                }
                '$' if self.rest.peek() == Some(&'"') => {
                    self.next();
                    self.double()?;
                }
                '$' => {
                    self.expansion();
                    self.push('$');
                }
                '`' => {
                    self.note("Commands within backquotes are not run.");
                    self.push('`');
                }
                '#' if self.word.is_none() && !self.is_prompt() => self.comment(),
                '\n' | ';' => self.end_command(),
                // A URL that nobody quoted; a shell would have cut it, and nobody means that.
                '&' if self.word.is_some()
                    && self
                        .rest
                        .peek()
                        .is_some_and(|c| !c.is_whitespace() && *c != '&') =>
                {
                    self.push('&');
                }
                '&' => {
                    while self.rest.next_if_eq(&'&').is_some() {}
                    self.end_command();
                }
                '|' => {
                    self.end_word();
                    self.skipping = self.rest.next_if_eq(&'|').is_none();
                    if self.skipping {
                        self.note("What the output is piped into is left out.");
                    } else {
                        self.end_command();
                    }
                }
                '>' | '<'
                    if self
                        .word
                        .as_ref()
                        .is_none_or(|word| matches!(word.as_str(), "1" | "2"))
                        && !self.current.words.is_empty() =>
                {
                    self.word = None;
                    self.skip_word = true;
                    while self
                        .rest
                        .next_if(|c| matches!(c, '>' | '<' | '&'))
                        .is_some()
                    {}
                }
                c if c.is_whitespace() => self.end_word(),
                c => self.push(c),
            }
        }
        self.end_command();
        Ok(())
    }

    /// A `#` before a command is the prompt of root, not a comment.
    fn is_prompt(&self) -> bool {
        let next: String = self.rest.clone().take(16).collect();
        self.current.words.is_empty() && next.trim_start().starts_with("curl ")
    }

    fn comment(&mut self) {
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(|c| *c != '\n') {
            text.push(c);
        }
        let text = text.trim_start_matches('#').trim();
        if self.current.words.is_empty() && !text.is_empty() && !text.starts_with('!') {
            self.comments.push(text.to_owned());
        }
    }

    fn expansion(&mut self) {
        let next = self.rest.peek().copied().unwrap_or(' ');
        if next.is_ascii_alphabetic() || matches!(next, '_' | '{' | '(') {
            self.note("Variables of the shell ($…) stand as they are written: put their values here, or ${env:NAME} where a reference may stand.");
        }
    }

    fn open_quote(&self, line: usize, quote: &str) -> ConvertError {
        ConvertError::Command {
            place: format!("line {line}"),
            problem: format!("the quote {quote} is not closed; copy the whole command"),
        }
    }

    fn single(&mut self) -> Result<(), ConvertError> {
        let line = self.line;
        self.word.get_or_insert_default();
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(c) => self.push(c),
                None => return Err(self.open_quote(line, "'")),
            }
        }
    }

    fn double(&mut self) -> Result<(), ConvertError> {
        let line = self.line;
        self.word.get_or_insert_default();
        loop {
            match self.next() {
                Some('"') => return Ok(()),
                Some('\\') => match self.next() {
                    Some('\n') => {}
                    Some(c) if "$`\"\\".contains(c) => self.push(c),
                    Some(c) => {
                        self.push('\\');
                        self.push(c);
                    }
                    None => return Err(self.open_quote(line, "\"")),
                },
                Some('$') => {
                    self.expansion();
                    self.push('$');
                }
                Some(c) => self.push(c),
                None => return Err(self.open_quote(line, "\"")),
            }
        }
    }

    /// `$'…'`, whose escapes are C's.
    fn ansi(&mut self) -> Result<(), ConvertError> {
        let line = self.line;
        self.word.get_or_insert_default();
        loop {
            let c = match self.next() {
                Some('\'') => return Ok(()),
                Some('\\') => self.escape(),
                other => other,
            };
            match c {
                Some(c) => self.push(c),
                None => return Err(self.open_quote(line, "$'")),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'e' | 'E' => '\x1b',
            'f' => '\x0c',
            'v' => '\x0b',
            'x' => self.code(16, 2, 0),
            'u' => {
                let first = self.code_unit(4);
                // Browsers write what is beyond 16 bits as a pair.
                match (0xd800..0xdc00).contains(&first) {
                    true => self.low_half(first),
                    false => char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            'U' => self.code(16, 8, 0),
            c @ '0'..='7' => self.code(8, 2, c.to_digit(8).unwrap_or(0)),
            other => other,
        })
    }

    fn code_unit(&mut self, most: usize) -> u32 {
        let mut value = 0;
        for _ in 0..most {
            let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(16)) else {
                break;
            };
            value = value * 16 + digit;
            self.rest.next();
        }
        value
    }

    fn low_half(&mut self, first: u32) -> char {
        let mut ahead = self.rest.clone();
        let is_escape = ahead.next() == Some('\\') && ahead.next() == Some('u');
        if !is_escape {
            return char::REPLACEMENT_CHARACTER;
        }
        self.rest = ahead;
        let second = self.code_unit(4);
        match (0xdc00..0xe000).contains(&second) {
            true => char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
                .unwrap_or(char::REPLACEMENT_CHARACTER),
            false => char::REPLACEMENT_CHARACTER,
        }
    }

    fn code(&mut self, radix: u32, most: usize, first: u32) -> char {
        let mut value = first;
        for _ in 0..most {
            let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(radix)) else {
                break;
            };
            value = value.saturating_mul(radix).saturating_add(digit);
            self.rest.next();
        }
        char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}
