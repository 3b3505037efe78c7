//! Sinks: where the results of a run go beside its own store.
//!
//! What is exported are the merged windows of a run, never single samples from a worker: a [`Row`] is what one series measured in
//! one window, all tasks together. [`Windows`] makes rows of shards, [`Delivery`] hands them to a [`Sink`] and accounts for what it
//! did not take. A sink can be down, slow, full or wrong: that changes neither load nor verdict, and is reported.
//!
//! Each kind of store is a folder with a [`Scheme`]; [`schemes`] lists them.

mod buckets;
#[cfg(feature = "cloudwatch")]
mod cloudwatch;
mod connect;
pub mod delivery;
mod exponential;
mod file;
pub mod http;
mod influx;
mod otlp;
mod points;
mod postgres;
mod prometheus;
pub mod row;
mod running;
pub mod schemes;
pub mod sink;
mod statsd;
pub mod target;
#[cfg(test)]
mod testing;
pub mod windows;

pub use delivery::{Delivery, Patience, Report};
pub use floodgate_records::reach::Reach;
pub use row::Row;
pub use sink::{Accepted, End, Refused, Run, Sink, SinkError};
pub use target::{Credentials, References, Scheme, Secret, Target, TargetError};
pub use windows::Windows;
