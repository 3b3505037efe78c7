//! The domain of Floodgate, free of I/O: what a test definition says, when each iteration starts,
//! how measurements are kept, merged and judged.
//!
//! Nothing in this crate reads a clock, the environment, the network or a file; randomness and time come in
//! as arguments. Data flows `definition → schedule → (generator) → histogram → shard → merge → threshold →
//! verdict → execution::summary`.

pub mod baseline;
pub mod buckets;
pub mod capacity;
pub mod check;
pub mod compare;
pub mod cost;
pub mod course;
pub mod decimal;
pub mod definition;
pub mod drift;
pub mod execution;
pub mod figures;
pub mod fold;
pub mod histogram;
pub mod level;
pub mod merge;
pub mod planned;
pub mod rate;
pub mod schedule;
pub mod seed;
pub mod shard;
pub mod syntax;
pub mod targets;
pub mod template;
pub mod threshold;
pub mod units;
pub mod verdict;
