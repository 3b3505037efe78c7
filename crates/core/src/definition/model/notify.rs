//! Who is told of a run.

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// To where.
    pub channel: Channel,
    /// For which verdicts (`recovered`: passed after one that was not).
    pub on: Vec<String>,
}

/// Where a notification goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A JSON POST of the summary.
    Webhook(String),
    /// An SNS topic's ARN.
    Sns(String),
    /// A Slack webhook (may be a secret's reference).
    Slack(String),
}
