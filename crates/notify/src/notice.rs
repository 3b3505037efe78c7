//! A notification to one receiver.

use crate::events::{Moment, events};
use crate::message::Message;
use floodgate_records::execution::Execution;
use floodgate_records::notify::Notify;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use serde::{Deserialize, Serialize};

/// A notification to one receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// `msg_`, the execution, the moment and the receiver's place: one id however often it is sent, and by whom.
    pub id: String,
    /// The receiver's place in the definition's `notify`.
    pub target: usize,
    /// What it is told.
    pub message: Message,
}

/// What the definition of a run wants told of it at a moment. `console` is where the console is if the definition does not say;
/// `before` is how the run of the same test ended that ended before it.
pub fn notices(
    wanted: &[Notify],
    moment: Moment,
    execution: &Execution,
    summary: Option<&Summary>,
    before: Option<Status>,
    console: Option<&str>,
) -> Vec<Notice> {
    let true_now = events(moment, execution, summary, before);
    let of = |(target, notify): (usize, &Notify)| {
        let kind = true_now.iter().find(|event| notify.on.contains(event))?;
        let link = notify.link.as_deref().or(console);
        Some(Notice {
            id: format!("msg_{}_{moment}_{target}", execution.id),
            target,
            message: Message::new(*kind, &true_now, moment, execution, summary, link),
        })
    };
    wanted.iter().enumerate().filter_map(of).collect()
}
