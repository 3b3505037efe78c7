//! Runs in the emulated cloud: the real state machine, the real functions, real containers.
//!
//! `cargo xtask test` brings the emulators up and runs these; without them they are ignored, and cargo says so.
#![allow(clippy::unwrap_used, missing_docs)]

mod branches;
mod execution;
mod runs;
mod stack;
