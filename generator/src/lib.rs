//! The generator: sends the load that a definition asks for, measures it, and writes shards.
//!
//! One task is one process; it has one worker thread a CPU, each with a current-thread runtime, its own share of the
//! schedule, its own VUs, connections and recorder: nothing on the path of a request is shared between threads.

pub mod cgroup;
pub mod clock;
pub mod cloud;
pub mod environment;
pub mod exchange;
pub mod executor;
pub mod flow;
pub mod flush;
pub mod health;
pub mod http;
pub mod limits;
pub mod preflight;
pub mod recorder;
pub mod script;
pub mod standstill;
pub mod task;
pub mod timer;

pub use environment::TaskEnvironment;
pub use task::{Config, TaskError, run};
