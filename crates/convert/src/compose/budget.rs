//! How much a definition may have.

use serde_json::Value;

/// The longest body in a definition; a longer one becomes a file.
const MAX_INLINE: usize = 32 << 10;
/// The most text of bodies in a definition, which may have 1 MiB.
const MAX_TEXT: usize = 400 << 10;
/// The most values of bodies in a definition, which may have 100,000.
const MAX_VALUES: usize = 40_000;
/// How deep JSON may be; what is around it is a dozen levels.
const MAX_DEPTH: usize = 40;
/// The longest key; YAML's keys have at most 1,024 characters.
pub(super) const MAX_KEY: usize = 256;
/// The most that is written to files.
const MAX_FILES: usize = 64 << 20;

/// What may still be written.
#[derive(Debug)]
pub(crate) struct Budget {
    text: usize,
    values: usize,
    pub(super) files: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            text: MAX_TEXT,
            values: MAX_VALUES,
            files: MAX_FILES,
        }
    }
}

impl Budget {
    /// Whether text fits; if it does, it is written.
    pub(super) fn text(&mut self, bytes: usize) -> bool {
        let fits = bytes <= MAX_INLINE && bytes <= self.text;
        self.text -= if fits { bytes } else { 0 };
        fits
    }

    /// Whether a JSON body fits.
    pub(crate) fn json(&mut self, value: &Value, bytes: usize) -> bool {
        let Some(values) = size(value, 0) else {
            return false;
        };
        let fits = values <= self.values && self.text(bytes);
        self.values -= if fits { values } else { 0 };
        fits
    }
}

/// How many values; `None` if it is too deep, or has keys that YAML would not take.
fn size(value: &Value, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    match value {
        Value::Array(items) => items
            .iter()
            .try_fold(1, |sum, item| Some(sum + size(item, depth + 1)?)),
        Value::Object(map) => map.iter().try_fold(1, |sum, (key, value)| {
            let writable = key.len() <= MAX_KEY && !key.contains("${");
            writable.then_some(sum + 1 + size(value, depth + 1)?)
        }),
        _ => Some(1),
    }
}
