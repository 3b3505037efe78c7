//! What became of a run's requests, by a tag.

use crate::summary::RequestSummary;
use serde::{Deserialize, Serialize};

/// The requests of a run by the values of a tag: `floodgate show ID --by TAG --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestsBy {
    /// Version of this layout: [`RequestsBy::SCHEMA`].
    pub schema: u32,
    /// The run.
    pub execution: String,
    /// The tag.
    pub by: String,
    /// One row a value, which stands as its `name`: those that failed most come first. What does not fit into
    /// [`RequestSummary::MAX_ROWS`] is summed up in one more row; requests without the tag have an empty name.
    pub requests: Vec<RequestSummary>,
}

impl RequestsBy {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
}
