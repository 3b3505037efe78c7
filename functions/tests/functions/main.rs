//! Each function on stores in memory, with containers that are played.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod api;
mod bounds;
mod ecs;
mod exporting;
mod figures;
mod launching;
mod machine;
mod notifying;
mod preparing;
mod reaping;
#[path = "../../../tests/e2e/notify/receiver.rs"]
mod receiver;
mod refusing;
mod running;
mod scheduling;
mod support;
mod tenants;
