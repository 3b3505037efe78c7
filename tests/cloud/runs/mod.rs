//! What becomes of runs: each time the verdict, the record, no task left, and the merged counts of what the target
//! counted.

mod answers;
mod api;
mod budgets;
mod cli;
mod console;
mod exports;
mod limits;
mod losses;
mod notifications;
mod orders;
mod permissions;
mod scripts;
mod storage;
mod trail;
mod verdicts;
mod watching;

use crate::execution::shop;
