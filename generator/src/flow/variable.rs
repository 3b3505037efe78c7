//! Variables of templates.

use super::text::Text;
use floodgate_core::template::Function;

/// A variable whose value is known only in an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Var {
    Vu,
    Iteration,
    /// A cell of the row that the iteration has in a data source of its scenario.
    Data {
        source: u16,
        column: u16,
    },
    /// A slot of the iteration's variables.
    Local(u16),
    Uuid,
    Now,
    IsoNow,
    RandomInt(i64, i64),
    RandomString(u32),
}

/// What takes more than a few words to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// A time that is written in a format.
    Date { ms: i64, format: Option<String> },
    /// What a function makes of texts.
    Call {
        function: Function,
        arguments: Vec<Text>,
        /// Whether samples leave out what it gives.
        secret: bool,
    },
}
