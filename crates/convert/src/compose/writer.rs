//! What the requests of a definition share while they are written: secrets, files, cookies.

use super::budget::Budget;
use super::correlate::{Bound, Correlation, Slot};
use crate::confidential::{is_secret_field, is_secret_value};
use crate::draft::literal;
use crate::options::Options;
use crate::recording::Exchange;
use crate::secrets::Secrets;
use std::collections::HashSet;

/// Writes requests; what they share is collected.
pub(super) struct Writer<'a> {
    pub(super) targets: Vec<(String, String)>,
    pub(super) options: &'a Options<'a>,
    pub(super) secrets: Secrets,
    pub(super) budget: Budget,
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// Cookies that responses set.
    pub(super) set: HashSet<String>,
    /// Cookies that were sent, with their values, and whether a response had set them.
    pub(super) brought: Vec<(String, String)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(targets: &[(String, String)], options: &'a Options<'a>) -> Self {
        Self {
            targets: targets.to_vec(),
            options,
            secrets: Secrets::default(),
            budget: Budget::default(),
            files: Vec::new(),
            set: HashSet::new(),
            brought: Vec::new(),
        }
    }

    /// Where something is sent, as it was recorded.
    pub(super) fn place(&self, exchange: &Exchange, what: &str) -> String {
        format!("{what} of {} {}", exchange.method, exchange.url.path())
    }

    pub(super) fn secret(&mut self, name: &str, value: &str, exchange: &Exchange) -> String {
        let place = self.place(exchange, name);
        self.secrets.keep(name, value, &place)
    }

    /// A value under the name of a field: a variable, a reference, or the text.
    pub(super) fn value(
        &mut self,
        name: &str,
        value: &str,
        exchange: &Exchange,
        correlation: &mut Correlation,
        comments: &mut Vec<String>,
    ) -> String {
        let secret = is_secret_field(name);
        self.named((name, secret), value, exchange, correlation, comments)
    }

    /// A value under a name, and whether such a name is one of secrets.
    pub(super) fn named(
        &mut self,
        (name, secret): (&str, bool),
        value: &str,
        exchange: &Exchange,
        correlation: &mut Correlation,
        comments: &mut Vec<String>,
    ) -> String {
        let bound = correlation.bind(Slot::Named(name), value, exchange.started_ms);
        if let Bound::Variable(variable) = bound {
            return format!("${{{variable}}}");
        }
        if value.is_empty() {
            return String::new();
        }
        if secret || is_secret_value(value) {
            return self.secret(name, value, exchange);
        }
        if let Bound::Hint(hint) = bound {
            comments.push(hint);
        }
        if let Some(known) = self.secrets.known(value) {
            return known;
        }
        correlation.embedded(value, exchange.started_ms, literal)
    }

    /// Puts bytes into a file beside the definition, and gives its path.
    pub(super) fn keep_file(
        &mut self,
        exchange: &Exchange,
        what: &str,
        bytes: &[u8],
    ) -> Result<String, &'static str> {
        if !self.options.files {
            return Err("with --out FILE it is written beside the definition");
        }
        if bytes.len() > self.budget.files {
            return Err("there are too many large bodies");
        }
        self.budget.files -= bytes.len();
        let label = crate::options::slug(&exchange.label, '-', 40);
        let path = format!("{}-files/{label}-{what}.bin", self.options.test());
        self.files.push((path.clone(), bytes.to_vec()));
        Ok(path)
    }
}
