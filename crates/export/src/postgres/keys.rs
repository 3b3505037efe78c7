//! Numbers that stand for names in the tables.

/// Those of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) run: i32,
    pub(super) project: i32,
}
