//! Texts by number, so that a sample holds numbers only.

use std::collections::HashMap;

/// Numbers texts in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Interner {
    numbers: HashMap<Box<[u8]>, u32>,
    texts: Vec<Box<[u8]>>,
    bytes: usize,
}

/// Past this the table has to begin anew: labels that a plan makes up for every sample must not fill the memory.
const MOST: usize = 20_000;
const MOST_BYTES: usize = 16 << 20;

impl Interner {
    /// Whether it is time for [`Self::clear`].
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.texts.len() >= MOST || self.bytes > MOST_BYTES
    }

    /// The number of a text.
    #[inline]
    pub(super) fn number(&mut self, text: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.into());
        self.bytes += text.len();
        self.numbers.insert(text.into(), number);
        number
    }

    /// The text of a number.
    #[inline]
    pub(super) fn text(&self, number: u32) -> &[u8] {
        &self.texts[number as usize]
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.numbers.clear();
        self.texts.clear();
        self.bytes = 0;
    }
}
