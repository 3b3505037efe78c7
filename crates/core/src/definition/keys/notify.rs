//! Notifications.

use super::places::{ARN, WEB_URL};
use super::shared::{TEXT, text};
use crate::definition::field::{Field, Parts, keys};
use crate::definition::shape::pattern::matches;
use crate::definition::shape::{Grammar, Key, Shape, Table};
use crate::syntax::SyntaxError;
use floodgate_records::notify::Event;
use floodgate_records::printable::quoted;

static EVENT: Shape = Shape::Choice(Event::WORDS);

static SECRETS: Shape = Shape::Either(&SECRET_FORMS);
static SECRET_FORMS: [Shape; 2] = [text(8 << 10, None), Shape::List { of: &TEXT, min: 1 }];

const MAILBOX: &str =
    "^[^\\s@<>,;:\\\\\"()\\[\\]]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$";
const ADDRESS_GRAMMAR: Grammar = Grammar {
    pattern: Some(MAILBOX),
    ..Grammar::new(
        |text| match matches(MAILBOX, text) {
            true => Ok(()),
            false => Err(SyntaxError::whole(text, "is not an e-mail address")
                .allowed("NAME@HOST, without a display name")),
        },
        "an e-mail address, NAME@HOST",
    )
};
static ADDRESS: Shape = Shape::Grammar(ADDRESS_GRAMMAR);
static ADDRESSES: Shape = Shape::Either(&ADDRESS_FORMS);
static ADDRESS_FORMS: [Shape; 2] = [
    Shape::Grammar(ADDRESS_GRAMMAR),
    Shape::List {
        of: &ADDRESS,
        min: 1,
    },
];

const SERVER_SAID: &str =
    "smtp://[USER@]HOST[:PORT] (STARTTLS), smtps://… (TLS from the start), without a password";
static SERVER: Shape = Shape::Grammar(Grammar {
    pattern: Some("^smtps?://[^\\s/?#]+$"),
    ..Grammar::new(server, SERVER_SAID)
});

fn server(text: &str) -> Result<(), SyntaxError> {
    let fail = |problem: String| Err(SyntaxError::new(0, problem).allowed(SERVER_SAID));
    let rest = text
        .strip_prefix("smtps://")
        .or_else(|| text.strip_prefix("smtp://"));
    let Some(rest) = rest else {
        let shown = quoted(text);
        return fail(format!("{shown} does not begin with smtp:// or smtps://"));
    };
    let (user, host) = rest.rsplit_once('@').unwrap_or(("", rest));
    if user.contains(':') {
        // Without the text: it has a secret in it.
        return Err(
            SyntaxError::new(0, "a password stands in the URL".to_owned())
                .allowed(SERVER_SAID)
                .hint("write password: \"${secret:NAME}\""),
        );
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '?' | '#');
    let bad_port = port.is_some_and(|port| port.parse::<u16>().is_err());
    if name.is_empty() || bad_port || rest.contains(odd) {
        return fail(format!("{} is not a mail server", quoted(text)));
    }
    Ok(())
}

const BUS: &str =
    "^(arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/)?[A-Za-z0-9._/-]{1,256}$";
static BUS_SHAPE: Shape = Shape::Grammar(Grammar {
    pattern: Some(BUS),
    ..Grammar::new(
        |text| match matches(BUS, text) {
            true => Ok(()),
            false => Err(SyntaxError::whole(text, "is not an event bus").allowed(
                "its name, such as default, or arn:aws:events:REGION:ACCOUNT:event-bus/NAME",
            )),
        },
        "name or ARN of an event bus",
    )
});

keys! { NOTIFY_KEYS:
    WEBHOOK: String = "webhook", WEB_URL; "A URL that gets the notification as JSON, by the Standard Webhooks specification.";
    SECRET: Parts = "secret", SECRETS; "A reference to what the webhook is signed with, or several: ${secret:NAME} or ${env:NAME}.";
    SLACK: String = "slack", WEB_URL; "An incoming webhook of Slack.";
    TEAMS: String = "teams", WEB_URL; "The webhook of a workflow in Microsoft Teams.";
    EMAIL: Parts = "email", ADDRESSES; "Who gets an e-mail: an address, or a list.";
    FROM: String = "from", ADDRESS; "The sender of the e-mail.";
    SMTP: String = "smtp", SERVER; "The server that takes the e-mail; without one, Amazon SES does.";
    PASSWORD: String = "password", TEXT; "A reference to the password of the server's user: ${secret:NAME} or ${env:NAME}.";
    SNS: String = "sns", ARN; "An SNS topic.";
    EVENTBRIDGE: String = "eventbridge", BUS_SHAPE; "An event bus of EventBridge.";
    LINK: String = "link", WEB_URL; "The address of a console, or of a page with {project}, {test} or {execution} in it.";
    ON: Vec<Event> = "on", { Shape::List { of: &EVENT, min: 1 } },
        default r#"["failed","inconclusive","errored","aborted","recovered","regressed"]"#;
        "Of what; recovered is passed after a run that was not, regressed is worse than the baseline.";
}

/// `notify[n]`.
pub(super) static NOTIFY: Table = Table::new(
    "notify",
    "Where notifications go, and of what.",
    &[NOTIFY_KEYS],
)
.one_of(&["webhook", "slack", "teams", "email", "sns", "eventbridge"]);
