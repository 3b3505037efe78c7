//! Flows against a scripted client.
#![allow(clippy::unwrap_used)]

mod checks;
mod control;
mod digest;
mod functions;
mod iterations;
mod measured;
mod native;
mod requests;
mod support;
