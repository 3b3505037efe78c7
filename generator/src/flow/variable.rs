//! Variables of templates.

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
