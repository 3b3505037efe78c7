//! placeholder
pub mod exchange;
