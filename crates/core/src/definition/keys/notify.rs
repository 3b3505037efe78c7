//! Notifications.

use super::places::{ARN, WEB_URL};
use crate::definition::field::{Field, keys};
use crate::definition::shape::{Key, Shape, Table};

static EVENT: Shape = Shape::Choice(&[
    "passed",
    "failed",
    "inconclusive",
    "errored",
    "aborted",
    "recovered",
]);

keys! { NOTIFY_KEYS:
    WEBHOOK: String = "webhook", WEB_URL; "A URL that gets the summary as JSON.";
    SNS: String = "sns", ARN; "An SNS topic.";
    SLACK: String = "slack", WEB_URL; "A Slack webhook.";
    ON: Vec<String> = "on", { Shape::List { of: &EVENT, min: 1 } },
        default r#"["failed","inconclusive","errored","aborted","recovered"]"#;
        "For which verdicts; recovered is passed after one that was not.";
}

/// `notify[n]`.
pub(super) static NOTIFY: Table = Table::new(
    "notify",
    "Where to send notifications of the verdict.",
    &[NOTIFY_KEYS],
)
.one_of(&["webhook", "sns", "slack"]);
