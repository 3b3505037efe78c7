//! Who is told of a run, and when: what a definition says of notifications.

use crate::words;
use std::fmt;

words! {
    /// What a notification tells.
    pub Event {
        /// A run begins: its tasks are being started.
        Started = "started",
        /// A run ended, and everything holds.
        Passed = "passed",
        /// A run ended, and a threshold or the baseline is breached.
        Failed = "failed",
        /// A run ended whose data cannot carry a verdict.
        Inconclusive = "inconclusive",
        /// A run could not be carried out.
        Errored = "errored",
        /// A run was stopped.
        Aborted = "aborted",
        /// A run passed, and the one of the same test before it did not.
        Recovered = "recovered",
        /// A run is worse than what it is compared with.
        Regressed = "regressed",
    }
}

/// One entry of `notify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// To where.
    pub channel: Channel,
    /// Of what.
    pub on: Vec<Event>,
    /// Where a reader finds the run: the address of a console, or one with `{project}`, `{test}` or `{execution}` in it.
    pub link: Option<String>,
}

/// Where a notification goes. URLs of webhooks are secrets: whoever has one can write to the channel.
#[derive(Clone, PartialEq, Eq)]
pub enum Channel {
    /// A POST by the Standard Webhooks specification.
    Webhook {
        /// To where.
        url: String,
        /// What it is signed with; several while one replaces another, none if it is not signed.
        secrets: Vec<String>,
    },
    /// An incoming webhook of Slack.
    Slack(String),
    /// A webhook of a workflow in Microsoft Teams.
    Teams(String),
    /// An e-mail.
    Email(Email),
    /// An SNS topic's ARN.
    Sns(String),
    /// Name or ARN of an event bus of EventBridge.
    EventBridge(String),
}

/// An e-mail's ways.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    /// To whom.
    pub to: Vec<String>,
    /// From whom.
    pub from: String,
    /// The server that takes it, `smtp://[USER@]HOST[:PORT]` or `smtps://…`; `None`: Amazon SES.
    pub smtp: Option<String>,
    /// The password of its user.
    pub password: Option<String>,
}

impl Channel {
    /// The key that it is written with in a definition.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::Email(_) => "email",
            Self::Sns(_) => "sns",
            Self::EventBridge(_) => "eventbridge",
        }
    }

    /// Where it goes, as far as that is no secret: of a URL the server alone.
    pub fn place(&self) -> String {
        match self {
            Self::Webhook { url, .. } | Self::Slack(url) | Self::Teams(url) => server(url),
            Self::Email(email) => email.to.join(", "),
            Self::Sns(name) | Self::EventBridge(name) => name.clone(),
        }
    }

    /// Whether AWS is called for it, with the credentials of whoever sends it.
    pub const fn needs_aws(&self) -> bool {
        match self {
            Self::Sns(_) | Self::EventBridge(_) => true,
            Self::Email(email) => email.smtp.is_none(),
            Self::Webhook { .. } | Self::Slack(_) | Self::Teams(_) => false,
        }
    }

    /// Whether a reference in it is not resolved: then it leads nowhere here.
    pub fn is_open(&self) -> bool {
        let open = |text: &str| text.contains("${secret:") || text.contains("${env:");
        match self {
            Self::Webhook { url, secrets } => open(url) || secrets.iter().any(|s| open(s)),
            Self::Slack(text) | Self::Teams(text) => open(text),
            Self::Sns(text) | Self::EventBridge(text) => open(text),
            Self::Email(email) => {
                let more = [&email.smtp, &email.password].into_iter().flatten();
                let all = email.to.iter().chain([&email.from]).chain(more);
                all.into_iter().any(|text| open(text))
            }
        }
    }

    /// All that must stand in no message.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Webhook { url, secrets } => {
                let secrets = secrets.iter().map(String::as_str);
                secrets.chain([beyond_server(url)]).collect()
            }
            Self::Slack(url) | Self::Teams(url) => vec![beyond_server(url)],
            Self::Email(email) => email.password.as_deref().into_iter().collect(),
            Self::Sns(_) | Self::EventBridge(_) => Vec::new(),
        }
    }
}

/// `scheme://host:port` of a URL, without user, path and query.
fn server(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// Path and query of a URL.
fn beyond_server(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?', '#']).map_or("", |at| &rest[at..])
}

/// Without what proves who writes.
impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.kind(), self.place())
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({} to {})", self.from, self.to.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_channel_has_no_secret() {
        let secret = "T0/B0/hunter2";
        for (url, place) in [
            (
                "https://hooks.slack.example/services/T0/B0/hunter2",
                "https://hooks.slack.example",
            ),
            ("https://ann:hunter2@h:8443?x=hunter2", "https://h:8443"),
            ("http://127.0.0.1:1#hunter2", "http://127.0.0.1:1"),
        ] {
            let channel = Channel::Webhook {
                url: url.to_owned(),
                secrets: vec!["hunter2".to_owned()],
            };
            assert_eq!(channel.place(), place);
            assert!(!format!("{channel:?}").contains("hunter2"), "{channel:?}");
            assert!(!format!("{:?}", Channel::Slack(url.into())).contains("hunter2"));
        }
        let slack = Channel::Slack(format!("https://h/services/{secret}"));
        assert_eq!(slack.secrets(), [format!("/services/{secret}")]);
        let email = Channel::Email(Email {
            to: vec!["a@b.example".into()],
            from: "c@d.example".into(),
            smtp: Some("smtp://ann@h".into()),
            password: Some("hunter2".into()),
        });
        assert!(!format!("{email:?}").contains("hunter2"));
    }
}
