//! Bytes of JSON on their way to the parser: what is no text becomes U+FFFD, and no text is longer than memory allows.
//!
//! Recorders copy bodies into strings as they are, so archives have bytes that are not UTF-8 and halves of surrogate pairs. A parser
//! refuses the whole file for one of them.

use std::cell::Cell;
use std::io::{BufRead, Error, Read, Result};

/// The longest string in an archive, in bytes: bodies are such strings.
pub(super) const MAX_TEXT: usize = 64 << 20;

/// What was met on the way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// Characters that were replaced.
    pub(super) replaced: u64,
    /// Whether it was given up for its size.
    pub(super) too_large: bool,
}

/// Where in the JSON it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Outside,
    Inside,
    /// Behind a backslash.
    Escape,
    /// In `\uXXXX`, so many digits read.
    Unit(u8),
}

/// See the module.
pub(super) struct Clean<'a, R> {
    source: R,
    state: &'a Cell<State>,
    ready: Vec<u8>,
    given: usize,
    at: At,
    /// Bytes of a character or an escape that is not complete.
    open: Vec<u8>,
    /// A high surrogate that waits for its other half, as `\uXXXX`.
    high: bool,
    length: usize,
    total: u64,
    ended: bool,
}

impl<'a, R: BufRead> Clean<'a, R> {
    pub(super) fn new(source: R, state: &'a Cell<State>) -> Self {
        Self {
            source,
            state,
            ready: Vec::new(),
            given: 0,
            at: At::Outside,
            open: Vec::new(),
            high: false,
            length: 0,
            total: 0,
            ended: false,
        }
    }

    fn replaced(&mut self) {
        let mut state = self.state.get();
        state.replaced += 1;
        self.state.set(state);
    }

    fn replacement(&mut self) {
        self.ready.extend_from_slice("\u{fffd}".as_bytes());
        self.replaced();
    }

    /// The high surrogate that has no other half.
    fn give_up_high(&mut self) {
        if std::mem::take(&mut self.high) {
            self.ready.truncate(self.ready.len() - 6);
            self.replacement();
        }
    }

    fn byte(&mut self, byte: u8) {
        match self.at {
            At::Outside => {
                if byte == b'"' {
                    (self.at, self.length) = (At::Inside, 0);
                }
                // What is not ASCII has no place here: the parser says so.
                self.ready.push(byte);
            }
            At::Inside => self.inside(byte),
            At::Escape => {
                if byte == b'u' {
                    self.open = b"\\u".to_vec();
                    self.at = At::Unit(0);
                    return;
                }
                self.give_up_high();
                self.ready.extend_from_slice(&[b'\\', byte]);
                self.at = At::Inside;
            }
            At::Unit(_) if !byte.is_ascii_hexdigit() => {
                // Not an escape: it is the text that it looks like.
                self.give_up_high();
                self.replacement();
                let digits = std::mem::take(&mut self.open);
                self.at = At::Inside;
                digits[2..].iter().for_each(|digit| self.byte(*digit));
                self.byte(byte);
            }
            At::Unit(n) => {
                self.open.push(byte);
                match n {
                    3 => self.unit(),
                    n => self.at = At::Unit(n + 1),
                }
            }
        }
    }

    fn inside(&mut self, byte: u8) {
        self.length += 1;
        if !self.open.is_empty() {
            self.open.push(byte);
            return self.character();
        }
        match byte {
            b'\\' => self.at = At::Escape,
            b'"' => {
                self.give_up_high();
                self.ready.push(byte);
                self.at = At::Outside;
            }
            0..0x20 => {
                // A raw control character is not JSON either; some recorders write it.
                self.give_up_high();
                self.ready
                    .extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            }
            0x20..0x80 => {
                self.give_up_high();
                self.ready.push(byte);
            }
            _ => {
                self.give_up_high();
                self.open.push(byte);
                self.character();
            }
        }
    }

    /// Bytes of one character that is not ASCII, as far as they are there.
    fn character(&mut self) {
        match std::str::from_utf8(&self.open) {
            Ok(_) => {
                self.ready.append(&mut self.open);
            }
            Err(error) if error.error_len().is_none() => {}
            Err(error) => {
                let bad = error.error_len().unwrap_or(1).max(1);
                let rest = self.open.split_off(bad.min(self.open.len()));
                self.open.clear();
                self.replacement();
                rest.into_iter().for_each(|byte| self.byte(byte));
            }
        }
    }

    /// A complete `\uXXXX`.
    fn unit(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.at = At::Inside;
        let digits = std::str::from_utf8(&open[2..]).ok();
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(0xd800..=0xdbff) => {
                self.give_up_high();
                self.ready.extend_from_slice(&open);
                self.high = true;
            }
            Some(0xdc00..=0xdfff) if self.high => {
                self.ready.extend_from_slice(&open);
                self.high = false;
            }
            Some(0xdc00..=0xdfff) => self.replacement(),
            Some(_) => {
                self.give_up_high();
                self.ready.extend_from_slice(&open);
            }
            None => self.replacement(),
        }
    }

    fn fill(&mut self) -> Result<()> {
        // The last escape may yet be taken back.
        let tail = if self.high { 6 } else { 0 };
        self.ready.drain(..self.given.min(self.ready.len() - tail));
        self.given = 0;
        while self.ready.len() <= if self.high { 6 } else { 0 } && !self.ended {
            let chunk = self.source.fill_buf()?.to_vec();
            self.source.consume(chunk.len());
            self.total += chunk.len() as u64;
            if chunk.is_empty() {
                self.ended = true;
                self.high = false;
            }
            chunk.into_iter().for_each(|byte| self.byte(byte));
            if self.length > MAX_TEXT || self.total > super::MAX_BYTES {
                let mut state = self.state.get();
                state.too_large = true;
                self.state.set(state);
                return Err(Error::other("too large"));
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Clean<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let available = |clean: &Self| clean.ready.len() - if clean.high { 6 } else { 0 };
        if self.given >= available(self) {
            self.fill()?;
        }
        let ready = &self.ready[self.given..available(self).max(self.given)];
        let n = ready.len().min(into.len());
        into[..n].copy_from_slice(&ready[..n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn clean(bytes: &[u8], window: usize) -> (Vec<u8>, u64) {
        let state = Cell::new(State::default());
        let mut out = Vec::new();
        Clean::new(BufReader::with_capacity(window, bytes), &state)
            .read_to_end(&mut out)
            .unwrap();
        (out, state.get().replaced)
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        for (bytes, expected, replaced) in [
            (
                &b"{\"a\": \"\xff\xfeb\"}"[..],
                "{\"a\": \"\u{fffd}\u{fffd}b\"}",
                2,
            ),
            (b"\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\"", 0),
            (b"\"\\ud83dx\"", "\"\u{fffd}x\"", 1),
            (b"\"\\ud83d\"", "\"\u{fffd}\"", 1),
            (
                b"\"\\ud83d\\ud83d\\ude00\"",
                "\"\u{fffd}\\ud83d\\ude00\"",
                1,
            ),
            (b"\"\\ude00\"", "\"\u{fffd}\"", 1),
            (b"\"\\u12\"", "\"\u{fffd}12\"", 1),
            (b"\"a\0b\"", "\"a\\u0000b\"", 0),
            ("\"ä\u{1f600}\"".as_bytes(), "\"ä\u{1f600}\"", 0),
            (b"\"\xe4\"", "\"\u{fffd}\"", 1),
        ] {
            for window in [1, 2, 3, 64] {
                let (out, n) = clean(bytes, window);
                assert_eq!(
                    String::from_utf8_lossy(&out),
                    expected,
                    "{bytes:?} by {window}"
                );
                assert_eq!(n, replaced, "{bytes:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn json_stays_as_it_is(text in any::<String>(), window in 1_usize..40) {
            for json in [serde_json::to_string(&text).unwrap(), format!("{{\"k\": [{}, 1]}}", serde_json::to_string(&text).unwrap())] {
                let (out, replaced) = clean(json.as_bytes(), window);
                let out = String::from_utf8(out).unwrap();
                let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                prop_assert_eq!(read(&out), read(&json));
                prop_assert_eq!(replaced, 0);
            }
        }

        #[test]
        fn any_string_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..80), window in 1_usize..20) {
            // Whatever stands between quotes; quotes and backslashes of its own aside.
            let inner: Vec<u8> = bytes.into_iter().filter(|b| !b"\"\\".contains(b)).collect();
            let json = [&b"\""[..], &inner, b"\""].concat();
            let (out, _) = clean(&json, window);
            prop_assert!(serde_json::from_slice::<String>(&out).is_ok(), "{:?}", String::from_utf8_lossy(&out));
        }
    }
}
