//! Whole runs with hand-made tasks: what they write decides what becomes of the run.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod budgets;
mod drawing;
mod finishing;
mod home;
mod merging;
mod orphans;
mod preparing;
mod refusing;
mod seeking;
mod support;
mod trends;
mod turns;
mod watching;
