//! `notify`.

use super::context::Decoder;
use crate::definition::field::Field;
use crate::definition::keys::{notify, root};
use crate::definition::model::{Channel, Email, Notify};
use crate::definition::tree::Node;

/// The most entries: each is tried for some seconds at the end of a run.
const MOST: usize = 20;

impl Decoder<'_> {
    /// Who is told of the run.
    pub(super) fn notifications(&mut self, definition: &Node) -> Vec<Notify> {
        let items = root::NOTIFY.items(definition);
        if let Some(more) = items.get(MOST) {
            let issue = more.issue(format!("there are {} notifications", items.len()));
            self.sink.push(issue.allowed(format!("{MOST} at most")));
        }
        items
            .iter()
            .filter_map(|item| self.notification(item))
            .collect()
    }

    fn notification(&mut self, item: &Node) -> Option<Notify> {
        let webhook = notify::WEBHOOK.is_given(item);
        let email = notify::EMAIL.is_given(item);
        self.belongs_to(item, &notify::SECRET, webhook, "webhook");
        self.belongs_to(item, &notify::FROM, email, "email");
        self.belongs_to(item, &notify::SMTP, email, "email");
        self.belongs_to(item, &notify::PASSWORD, email, "email");
        if let Some(link) = notify::LINK.place(item) {
            // Whoever is told has it.
            self.no_secret(link);
        }
        Some(Notify {
            channel: self.channel(item)?,
            on: notify::ON.or_default(item),
            link: notify::LINK.of(item),
        })
    }

    fn channel(&mut self, item: &Node) -> Option<Channel> {
        if let Some(url) = notify::WEBHOOK.of(item) {
            return Some(Channel::Webhook {
                url,
                secrets: self.signed_with(item),
            });
        }
        if notify::EMAIL.is_given(item) {
            return self.email(item).map(Channel::Email);
        }
        // Who may receive is told in logs and listings.
        for key in [&notify::SNS, &notify::EVENTBRIDGE] {
            if let Some(node) = key.place(item) {
                self.no_secret(node);
            }
        }
        let slack = notify::SLACK.of(item).map(Channel::Slack);
        let teams = || notify::TEAMS.of(item).map(Channel::Teams);
        let sns = || notify::SNS.of(item).map(Channel::Sns);
        let bus = || notify::EVENTBRIDGE.of(item).map(Channel::EventBridge);
        slack.or_else(teams).or_else(sns).or_else(bus)
    }

    fn signed_with(&mut self, item: &Node) -> Vec<String> {
        let place = notify::SECRET.place(item);
        let nodes = place.map_or(&[][..], Node::one_or_more).iter();
        nodes
            .filter_map(|node| self.by_reference(Some(node), "secret"))
            .collect()
    }

    fn email(&mut self, item: &Node) -> Option<Email> {
        let to = notify::EMAIL.place(item)?;
        for node in to.one_or_more() {
            self.no_secret(node);
        }
        let smtp = notify::SMTP.place(item);
        if let Some(smtp) = smtp {
            self.no_secret(smtp);
        }
        let password = self.by_reference(notify::PASSWORD.place(item), "password");
        let user = notify::SMTP.of(item).is_some_and(|url| url.contains('@'));
        let open = smtp.is_some_and(Node::is_open);
        if let (Some(node), false, false) = (notify::PASSWORD.place(item), user, open) {
            let issue = node.issue("there is a password and no user of it");
            self.sink
                .push(issue.hint("name the user in smtp: smtp://USER@HOST:587"));
        }
        let Some(from) = notify::FROM.of(item) else {
            if !notify::FROM.is_given(item) {
                let issue = to.issue("the key \"from\" is missing: who sends the e-mail");
                self.sink.push(issue.allowed("from: NAME@HOST"));
            }
            return None;
        };
        Some(Email {
            to: to.one_or_more().iter().filter_map(Node::string).collect(),
            from,
            smtp: notify::SMTP.of(item),
            password,
        })
    }

    /// A key that means something with one channel alone.
    fn belongs_to<T>(&mut self, item: &Node, key: &Field<T>, is_there: bool, channel: &str) {
        if let (Some(node), false) = (key.place(item), is_there) {
            let name = key.key.name;
            let issue = node.issue(format!("{name} has no effect without {channel}"));
            self.sink
                .push(issue.hint(format!("remove it, or write {channel}")));
        }
    }
}
