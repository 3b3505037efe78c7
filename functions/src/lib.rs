//! The Lambda functions that a run's state machine calls: one program, one module a function.
//!
//! `prepare` makes a plan, `launch` starts its tasks, `watch` looks after them, `merge` adds up what they wrote,
//! `finish` judges, `reap` stops what must not go on, `notify` tells of it all, and `export` hands results to sinks. What they do to a run is
//! `floodgate_control`; here stands what
//! only the cloud has: payloads, placement, ECS, pacing by the history of a state machine.
//!
//! Every function may be called again with the same input, by Lambda's retries and by a redrive, and then goes on where the
//! last call was cut off: what it knows lies in the bucket and in the table, never in the process.

mod account;
pub mod api;
mod app;
mod clock;
mod config;
mod cost;
mod dispatch;
mod ecs;
mod error;
mod export;
mod figures;
mod finish;
mod id;
mod launch;
mod launched;
mod merge;
mod metrics;
mod notify;
mod pace;
mod pattern;
mod prepare;
mod principal;
mod reap;
mod resolve;
mod run;
mod secrets;
mod serve;
mod stack_config;
mod supervisor;
mod tasks;
mod tenant;
mod watch;

pub use account::{Account, AwsAccount, Described, Refused, StartOutcome};
pub use app::App;
pub use clock::{Clock, SystemClock};
pub use config::{Config, ConfigError, Function, VARIABLES};
pub use dispatch::handle;
pub use ecs::EcsTasks;
pub use error::{Cause, FunctionError};
pub use launched::{LaunchedTask, LaunchedTasks, RefusedTask};
pub use metrics::{Metrics, NAMESPACE};
pub use pace::{Course, EVENTS_A_TURN, MAX_TURNS, Moment, Pace, Phases, Steps, expected, pace};
pub use run::{Run, RunPhase};
pub use serve::main;
pub use stack_config::{
    Network, ProjectRules, RegionConfig, ScheduledRun, StackConfig, StackExport,
};
pub use tasks::{RunCapacity, RunError, RunRequest, StartedTask, TaskStatus, Tasks, Vcpus};
