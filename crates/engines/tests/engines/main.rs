//! The real engines, run through this crate against a target that counts. Each looks for its tool in a variable that
//! `cargo xtask test` sets, and says so where it is not set.
#![allow(clippy::unwrap_used)]

mod gatling;
mod jmeter;
mod k6;
