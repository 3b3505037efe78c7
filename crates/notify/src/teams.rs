//! Microsoft Teams: the webhook of a workflow, which takes an Adaptive Card
//! (<https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498>).
//!
//! Text stands in runs of rich text, which have no Markdown: a `TextBlock` would make links and emphasis of what a name has in it.

use crate::message::Message;
use crate::slack::cut;
use crate::text::{Part, Tone, parts, title, tone};
use serde_json::{Value, json};

/// Characters of a line: a message has 28 KB in all.
const MOST: usize = 200;

/// The body of the POST.
pub(crate) fn body(message: &Message) -> Value {
    let colour = match tone(&message.data) {
        Tone::Good => "Good",
        Tone::Bad => "Attention",
        Tone::Unsure => "Warning",
        Tone::Neutral => "Default",
    };
    let head = run(
        &title(message),
        json!({"size": "Large", "weight": "Bolder", "color": colour}),
    );
    let mut body = vec![block(&head, "None")];
    for Part { title, lines } in parts(message) {
        body.push(block(&run(title, json!({"weight": "Bolder"})), "Medium"));
        let lines = lines.iter().map(|line| run(&cut(line, MOST), json!({})));
        body.extend(lines.map(|run| block(&run, "None")));
    }
    let links = message.data.links.iter();
    let actions: Vec<_> = links
        .map(|link| json!({"type": "Action.OpenUrl", "title": link.title, "url": link.url}))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": body,
                "actions": actions,
            },
        }],
    })
}

/// A line of its own.
fn block(run: &Value, spacing: &str) -> Value {
    json!({"type": "RichTextBlock", "spacing": spacing, "inlines": [run]})
}

/// Dates in double braces would be made into others: they are parted.
fn run(text: &str, more: Value) -> Value {
    let mut plain = text.to_owned();
    // Of three braces, one pass leaves two.
    while plain.contains("{{") {
        plain = plain.replace("{{", "{ {");
    }
    let mut run = json!({"type": "TextRun", "text": plain});
    if let (Some(run), Value::Object(more)) = (run.as_object_mut(), more) {
        run.extend(more);
    }
    run
}
