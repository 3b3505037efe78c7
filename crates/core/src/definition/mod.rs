//! The test definition.

pub mod model;

pub use model::*;
