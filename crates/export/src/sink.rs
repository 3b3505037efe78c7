//! What a sink is.

use crate::row::Row;
use async_trait::async_trait;
use floodgate_core::merge::Totals;
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use std::error::Error;
use std::time::Duration;

/// The run whose rows follow.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its record as it is when the export begins; while it goes on, much of it is not known yet.
    pub execution: Execution,
    /// What tells it from other runs in the store, as the tag `testid`, unless a row has one of its own: the option `testid` of the
    /// target, else the execution's id.
    pub testid: String,
    /// Whether rows arrive while the run goes on.
    pub live: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// Its record.
    pub execution: &'a Execution,
    /// Its results, if it has any.
    pub summary: Option<&'a Summary>,
    /// What it measured over all of its time, without a warm-up; `None` if that is not at hand.
    pub totals: Option<&'a Totals>,
    /// Whether the sink has taken every row of it.
    pub complete: bool,
}

/// Takes the rows of one run.
///
/// Rows come by rising start of their windows, and all rows of a start in one batch, by length of the window and series. Each comes once,
/// apart from a batch that is repeated as it was after [`SinkError::Again`]. A sink that keeps running totals adds a batch to them
/// once it has been taken.
///
/// A future that is dropped is a batch that was not taken: what is half sent must not be continued by the next.
#[async_trait]
pub trait Sink: Send {
    /// Hands over a batch, whole or not at all where the store can do that.
    ///
    /// # Errors
    /// [`SinkError`]; what the other side left out for good while it took the rest is no error.
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError>;

    /// Takes note of rows that the other side has of an earlier part of the same export, in the order in which it got them: what keeps
    /// running totals adds them. Nothing is sent.
    fn skip(&mut self, _rows: &[Row]) {}

    /// Ends the export, also after batches that were given up. It can be called again after [`SinkError::Again`].
    ///
    /// # Errors
    /// [`SinkError`].
    async fn finish(&mut self, end: &End<'_>) -> Result<Accepted, SinkError>;
}

/// What the other side took: all of it, but for these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// What was left out for good.
    pub refused: Vec<Refused>,
}

impl Accepted {
    /// Everything.
    pub const ALL: Self = Self {
        refused: Vec::new(),
    };
}

/// Rows that a store will never take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub rows: u64,
    /// Why, as the other side says: goes on from "it refused N rows: ".
    pub why: String,
}

/// An error that caused another one.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// It is down, slow or full: the same batch may be taken later.
    #[error("{what}")]
    Again {
        /// What happened.
        what: String,
        /// How long the other side asks to wait.
        after: Option<Duration>,
        /// What it comes from.
        source: Option<Cause>,
    },
    /// This batch will never be taken; another one may.
    #[error("{what}")]
    Batch {
        /// What happened.
        what: String,
        /// What it comes from.
        source: Option<Cause>,
    },
    /// Nothing will be taken before somebody changes something.
    #[error("{what}")]
    Never {
        /// What happened, with the remedy.
        what: String,
        /// What it comes from.
        source: Option<Cause>,
    },
}

impl SinkError {
    /// See [`Self::Again`].
    pub fn again(what: impl Into<String>) -> Self {
        Self::Again {
            what: what.into(),
            after: None,
            source: None,
        }
    }

    /// See [`Self::Batch`].
    pub fn batch(what: impl Into<String>) -> Self {
        Self::Batch {
            what: what.into(),
            source: None,
        }
    }

    /// See [`Self::Never`].
    pub fn never(what: impl Into<String>) -> Self {
        Self::Never {
            what: what.into(),
            source: None,
        }
    }

    /// The same, with the error that it comes from.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        let (Self::Again { source, .. } | Self::Batch { source, .. } | Self::Never { source, .. }) =
            &mut self;
        *source = Some(cause.into());
        self
    }

    /// What happened, with what it comes from: a sentence.
    pub fn told(&self) -> String {
        let mut told = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let more = error.to_string();
            // Some errors repeat their source.
            if !told.contains(&more) {
                told = format!("{told}: {more}");
            }
            cause = error.source();
        }
        told
    }
}
