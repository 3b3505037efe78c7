//! Whole tasks: as a library over a store that goes away, and as the program of the container over a stand-in for S3.
#![allow(clippy::unwrap_used)]

mod outage;
mod plan;
mod program;
mod s3;
