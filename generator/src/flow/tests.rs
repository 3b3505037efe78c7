//! Flows against a scripted client.
#![allow(clippy::unwrap_used)]

mod checks;
mod control;
mod digest;
mod iterations;
mod native;
mod requests;
mod support;
