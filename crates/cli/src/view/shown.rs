//! What every view is told.

use floodgate_control::watch::Progress;
use floodgate_records::printable::printable;

/// Where a run's progress goes.
pub trait View {
    /// Shows how the run stands.
    fn update(&mut self, progress: &Progress);
    /// Says something once.
    fn note(&mut self, text: &str);
    /// Leaves the terminal as it was found.
    fn close(&mut self);
}

/// What the view is headed with.
#[derive(Clone, Debug)]
pub struct Title {
    /// The test.
    pub test: String,
    /// What it sends load to.
    pub target: String,
    /// The execution's id.
    pub id: String,
    /// Generator processes.
    pub generators: u32,
}

impl Title {
    /// The same without what a terminal would obey.
    pub(super) fn printable(&self) -> Self {
        let of = |text: &str| printable(text).into_owned();
        Self {
            test: of(&self.test),
            target: of(&self.target),
            id: of(&self.id),
            generators: self.generators,
        }
    }
}
