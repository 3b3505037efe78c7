//! Exports: the merged windows of a run, handed to sinks. A run and its verdict do not depend on them.

mod live;
mod merged;
mod stored;
mod targets;
mod told;

pub(crate) use live::Exports;
pub(crate) use stored::export_stored;
pub(crate) use targets::{of_arguments, of_definition, of_metrics};
pub(crate) use told::{Told, warn};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests;
