//! What it takes to run k6, JMeter and Gatling, and to read what they write.
//!
//! The door is the [`registry`]: whoever has the engine of a definition asks [`facts`], [`prepare`], [`launch()`] or [`import`], and
//! names no engine. Behind it each engine has a folder with the same rooms: `engine` (its [`ScriptEngine`]), `inspect` (what its script
//! says of the load), `launch` (the command, the share of one task, how it is stopped, what its exit codes mean) and `read` (its output
//! into samples). All samples go into one [`Collector`], which makes the rows that the native engine makes too. The process that sends
//! the load is the generator's to start and to wait for; here an engine is only called for a moment, to say what a script would do.

mod archive;
mod calendar;
mod call;
pub mod collector;
mod control;
mod credentials;
pub mod definition;
mod engine;
mod error;
pub mod gatling;
mod inspection;
mod installed;
pub mod jmeter;
mod job;
mod jvm;
pub mod k6;
pub mod launch;
mod links;
mod native;
pub mod port;
mod private;
pub mod read;
pub mod registry;

pub use collector::cell::Cell;
pub use collector::{Collector, Series};
pub use control::{Control, ControlError, Phase, SetupData};
pub use credentials::{is_credential, remove_credentials};
pub use engine::{
    Capacity, Confinement, EngineFacts, LoadOptions, PrepareRequest, PreparedScript, ScriptEngine,
};
pub use error::LaunchError;
pub use inspection::{Inspection, PlannedScenario, ScriptThreshold};
pub use installed::Installed;
pub use job::Job;
pub use jvm::is_frame;
pub use k6::LOAD_OPTIONS_HEADING;
pub use launch::{Exit, Launch, Output, Said, Stop};
pub use links::{link_out, plain_path};
pub use read::{Lines, ReadError, Reader};
pub use registry::{engine_of, facts, import, launch, prepare};
