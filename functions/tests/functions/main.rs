//! Each function on stores in memory, with containers that are played.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod api;
mod bounds;
mod ecs;
mod launching;
mod machine;
mod preparing;
mod reaping;
mod refusing;
mod running;
mod support;
mod tenants;
