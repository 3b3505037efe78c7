//! The program from outside: definitions in, verdicts, records and exit codes out.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod arguments;
mod audit;
mod budgets;
mod capacity;
mod chaos;
mod compare;
mod console;
mod contract;
mod convert;
mod examples;
mod export;
mod faults;
mod flows;
mod harm;
mod namespaces;
mod notify;
mod over_time;
mod processes;
mod queries;
mod recipes;
mod reports;
mod runs;
mod schedules;
mod scripts;
mod secrets;
mod serve;
mod shown;
mod storage;
mod stores;
mod support;
mod values;
