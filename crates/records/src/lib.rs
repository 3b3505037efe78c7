//! What is written about a run: the plan, the control objects, manifests, the record and the summary, and where they lie.
//!
//! Whoever reads a record needs this crate alone: it has types, and what follows from one value of them, and needs serde
//! and nothing that is heavier. How the values come about (what holds, what is merged, what is left out) is decided elsewhere.

pub mod architecture;
pub mod audit;
pub mod budget;
pub mod capacity;
pub mod comparison;
pub mod connections;
pub mod control;
pub mod cost;
pub mod drift;
pub mod engine;
pub mod estimate;
pub mod execution;
pub mod failure;
pub mod figures;
pub mod key;
pub mod keys;
pub mod manifest;
pub mod metric;
pub mod notify;
pub mod observed;
pub mod outcome;
pub mod over_time;
pub mod plan;
pub mod printable;
pub mod reach;
pub mod requests;
pub mod schedule;
pub mod schema;
pub mod status;
pub mod summary;
pub mod test;
pub mod trend;
pub mod unwritten;
pub mod word;
