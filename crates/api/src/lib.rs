//! Runs over HTTP: what is on record, what goes on, starting and stopping, and the pages that show it.
//!
//! One [`router`] over the stores of a machine or of a stack. It decides nothing: who asks is found out by [`Access`] before a handler is
//! called, what they may do by `floodgate_policy`, and everything else by the crates below. The description of it ([`description`],
//! `/openapi.json`) is made from the handlers.

mod access;
mod audit;
mod baselines;
mod budgets;
mod caller;
mod catalogue;
mod console;
mod etag;
mod executions;
mod extract;
mod given;
mod history;
mod identity;
mod listing;
mod live;
mod members;
mod observers;
mod outcomes;
mod paging;
mod problem;
mod routes;
mod scheduler;
mod schedules;
mod service;
mod start;
mod starter;
mod turns;
mod verdict;

pub use access::{Access, BadOrigin, ClientAddress, Limits, Origin};
pub use budgets::{Bounds, BudgetState, Halted, Holder, Taken};
pub use caller::Caller;
pub use console::{BadAddress, console_files};
pub use identity::{ConfigError, Fetch, Identities};
pub use routes::{description, router};
pub use scheduler::{Scheduler, Ticked};
pub use schedules::ShownSchedule;
pub use service::{Definitions, Service};
pub use starter::{RunOrder, RunWhat, StartError, Starter};
