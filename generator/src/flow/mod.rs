//! What a VU does in an iteration: the flow of a scenario, compiled once for each worker and run by its VUs.
//!
//! ```text
//! Definition ──► CompiledScenario::compile ──► flat list of operations; requests that never change are ready to send
//!                       │ Files: bodies, data rows, PEM files, read once for all workers
//!                       ▼
//!                Vu::iterate(scenario, start, io, timer, record)
//! ```
//!
//! **Times.** The first request of an iteration is intended to begin when the iteration is. A later one is intended when
//! the step before it ended; think time ends when it was planned to, not when a timer woke, so that a late timer is
//! part of the response time. A redirect's next hop is intended when the hop before it ended.
//!
//! **Redirects.** Each hop is a request of its own, as in k6, under the name of its step. A hop that is followed is an
//! expected response; the step's `expected_statuses`, checks and extractions are about the last one. One redirect
//! more than `max_redirects` is the error `too_many_redirects` on the last response; with `max_redirects: 0` a 3xx is a
//! response like any other.
//!
//! **Challenges** of HTTP Digest are answered. The 401 is a request of its own, recorded once its answer has come: it counts as
//! expected where that does, so that wrong credentials are not half a success.
//!
//! **Cookies** that responses set go with the iteration's later requests to their site, behind those that the definition
//! writes into a header `Cookie`.
//!
//! **Extraction.** What is missing fails a check `extract NAME`, which has no samples otherwise, and ends the iteration, unless its
//! step says that it goes on: the variable is empty then. Variables are empty at the start of each iteration.
//!
//! **Loops, conditions and choices** are jumps in the flat list; a flow without them has none, and costs what it did. A condition looks
//! at the last response, of which only requests that one may follow keep more than they need themselves.
//!
//! **Randomness** of templates, data rows and think times is a function of execution, scenario and iteration number,
//! not of the task or VU that runs it.

mod address;
mod again;
mod body;
mod check;
mod compared;
mod contract;
mod control;
mod credentials;
mod data;
mod digest;
mod encode;
mod error;
mod failure;
mod files;
mod follow;
mod hop;
mod io;
mod json;
mod jumps;
mod native;
mod place;
mod progress;
mod redirect;
mod request;
mod retry;
mod rows;
mod sampled;
mod scenario;
mod series;
mod settle;
mod steer;
mod symbols;
mod text;
mod trace;
mod variable;
mod vu;

#[cfg(test)]
mod tests;

pub(crate) use compared::Answer;
pub(crate) use contract::{Place as ContractPlace, used as used_operations};
pub use credentials::Credentials;
pub use data::{DataError, MAX_DATA_BYTES, MAX_ROWS, Table};
pub use error::{CompileError, Problem};
pub use files::{FileError, FileSource, Files, MAX_BODY_FILE_BYTES, MAX_PEM_BYTES};
pub use io::{Header, Io, Request, ThinkTimer};
pub use native::Native;
pub use place::{Given, Place};
pub use scenario::CompiledScenario;
pub(crate) use symbols::collect_locals;
pub use vu::{IterationEnd, IterationStart, Vu};
