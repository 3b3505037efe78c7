//! Slack: an incoming webhook, in Block Kit (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).
//!
//! Whatever comes from elsewhere stands in `plain_text`, which has no markup: no name of a test can mention a channel or hide a link.

use crate::link::Link;
use crate::message::Message;
use crate::text::{Part, parts, title};
use serde_json::{Value, json};

/// Characters that a header takes.
const HEADER: usize = 150;
/// Characters that a section takes.
const SECTION: usize = 3_000;

/// The body of the POST.
pub(crate) fn body(message: &Message) -> Value {
    let head = title(message);
    let mut blocks = vec![json!({"type": "header", "text": plain(&cut(&head, HEADER))})];
    for Part { title, lines } in parts(message) {
        let text = format!("{title}\n{}", lines.join("\n"));
        blocks.push(json!({"type": "section", "text": plain(&cut(&text, SECTION))}));
    }
    let links: Vec<_> = message.data.links.iter().map(link).collect();
    if !links.is_empty() {
        let text = json!({"type": "mrkdwn", "text": links.join("  ·  "), "verbatim": true});
        blocks.push(json!({"type": "section", "text": text}));
    }
    // What a notification on a phone shows.
    json!({"text": escaped(&head), "mrkdwn": false, "blocks": blocks})
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

/// The three characters that Slack gives a meaning
/// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Addresses have neither `<`, `>` nor `|` in them when they come here.
fn link(link: &Link) -> String {
    format!(
        "<{}|{}>",
        link.url.replace('&', "&amp;"),
        escaped(&link.title)
    )
}

pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        false => text.to_owned(),
        true => text.chars().take(most - 1).chain(['…']).collect(),
    }
}
