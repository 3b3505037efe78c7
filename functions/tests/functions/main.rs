//! Each function on stores in memory, with containers that are played.
#![allow(clippy::unwrap_used)]

mod bounds;
mod machine;
mod launching;
mod preparing;
mod reaping;
mod running;
mod support;
