//! Runs the real engines against a target that counts. Each test returns with a line if its engine is not here.
#![allow(clippy::unwrap_used)]

mod jmeter;
