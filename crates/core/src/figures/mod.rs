//! From merged data to the figures of a report: one pass over the rows, in memory that does not grow with the length of the run.
//!
//! Slots are as long as it takes to keep their number bounded. What falls into one slot is added up, histogram by histogram; nothing is sampled
//! or dropped. See [`floodgate_records::figures`] for what comes of it.

mod axis;
mod builder;
mod gauge;
mod heat;
mod planned;
mod route;
mod shown;
mod spread;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use builder::FiguresBuilder;
pub use planned::planned_starts;
pub use shown::definition_text;
