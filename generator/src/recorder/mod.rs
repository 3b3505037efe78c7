//! The recorder: what happens to a measurement between the request loop and the shard.
//!
//! Each worker thread has a [`WorkerRecorder`] of its own. It counts into the cells of the current one-second
//! [`Window`]; a full window goes to the task's flusher thread and comes back cleared, so that in a steady state a sample
//! allocates nothing and takes no lock.

mod record;
mod series;
mod window;
mod worker;

pub use record::{CheckSeries, OwnSeries, Record, RequestSeries, Sample};
pub use series::{NewSeries, SeriesBudget, SeriesId};
pub use window::{CheckCell, DataCell, RequestCell, ScenarioCell, Window};
pub use worker::{Closed, ScenarioSeries, WorkerRecorder};
