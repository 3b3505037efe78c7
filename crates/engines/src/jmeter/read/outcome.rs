//! What came of a sample.

use super::code::CODES;
use super::sample::Kind;
use floodgate_records::metric::Tags;

/// What came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Code {
    /// The HTTP status; 0 without one.
    pub(super) status: u16,
    /// The place in [`CODES`] and one; 0 without an error.
    pub(super) error: u8,
}

impl Code {
    /// Out of a JTL's code and message.
    #[inline]
    pub(super) fn parse(code: &[u8], message: &[u8]) -> Self {
        if let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] = code {
            let digit = |byte: &u8| u16::from(byte - b'0');
            return Self {
                status: digit(a) * 100 + digit(b) * 10 + digit(c),
                error: 0,
            };
        }
        let error = super::code::error_code(code, message)
            .and_then(|name| CODES.iter().position(|known| *known == name))
            .map_or(0, |place| place as u8 + 1);
        Self { status: 0, error }
    }

    /// The value of the tag `error_code`.
    pub(super) fn error_code(self) -> Option<&'static str> {
        let place = usize::from(self.error).checked_sub(1)?;
        CODES.get(place).copied()
    }

    /// The tags with those that it adds.
    pub(super) fn tags(self, tags: Tags) -> Tags {
        let tags = match self.status {
            0 => tags,
            status => tags.with("status", status.to_string()),
        };
        match self.error_code() {
            None => tags,
            Some(code) => tags.with("error_code", code),
        }
    }
}

/// What tells the series of a sample apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Outcome {
    pub(super) kind: Kind,
    /// A number of [`Interner`](super::intern::Interner): the sampler.
    pub(super) label: u32,
    /// A number of [`Interner`](super::intern::Interner): the thread group.
    pub(super) group: u32,
    pub(super) code: Code,
    pub(super) ok: bool,
}
