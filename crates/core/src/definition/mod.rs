//! What a test definition says.

mod model;

pub use model::*;
