//! JMeter.

pub mod read;
