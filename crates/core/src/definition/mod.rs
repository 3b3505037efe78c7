//! placeholder

pub mod model;

pub use model::*;
