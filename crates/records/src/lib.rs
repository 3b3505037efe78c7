//! What is written about a run. Whoever reads a record needs this crate alone: it has types, and what follows from one
//! value of them, and needs serde and nothing that is heavier.

pub mod engine;
