//! Each function on stores in memory, with containers that are played.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod bounds;
mod launching;
mod machine;
mod preparing;
mod reaping;
mod running;
mod support;
