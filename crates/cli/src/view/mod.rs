//! Progress on stderr: a live view on a terminal, plain lines elsewhere, nothing if that is wanted.

mod format;
mod live;
mod plain;

use crate::output::say;
use floodgate_control::watch::Progress;
use live::LiveView;
use plain::PlainView;

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

/// The view that fits stderr.
pub fn view(title: &Title, quiet: bool) -> Box<dyn View> {
    if quiet {
        Box::new(Quiet)
    } else if console::user_attended_stderr() {
        Box::new(LiveView::new(title))
    } else {
        Box::new(PlainView::new(title))
    }
}

/// Says nothing but what must not be missed.
struct Quiet;

impl View for Quiet {
    fn update(&mut self, _: &Progress) {}
    fn note(&mut self, text: &str) {
        say!("floodgate: {text}");
    }
    fn close(&mut self) {}
}
