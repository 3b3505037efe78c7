//! One request of a definition.

use super::correlate::{Bound, Correlation, Slot, is_strong};
use super::headers::{is_fresh, is_valid, is_volatile};
use super::writer::Writer;
use crate::confidential::{is_secret_field, is_secret_header, is_secret_value};
use crate::draft::{Auth, Body, Request, literal};
use crate::recording::{Exchange, Payload, User, origin};
use base64::Engine as _;
use std::collections::BTreeSet;

/// A request, and the values that it sent.
pub(super) struct Rendered {
    draft: Request,
    sent: Vec<String>,
}

impl Rendered {
    pub(super) fn shared_values(&self) -> &[String] {
        &self.sent
    }

    pub(super) fn into_draft(self) -> Request {
        self.draft
    }
}

impl Writer<'_> {
    pub(super) fn request(
        &mut self,
        exchange: &Exchange,
        correlation: &mut Correlation,
    ) -> Rendered {
        let mut draft = Request {
            comments: exchange.comments.clone(),
            method: exchange.method.to_ascii_uppercase(),
            ..Request::default()
        };
        let mut sent = Vec::new();
        self.address(exchange, correlation, &mut draft, &mut sent);
        self.headers(exchange, correlation, &mut draft, &mut sent);
        let written = self.body(exchange, correlation);
        draft.body = written.body;
        draft.comments.extend(written.comments);
        sent.extend(written.sent);
        let is_alone = !matches!(draft.body, Body::File { .. } | Body::Multipart(_));
        draft.headers.extend(
            written
                .content_type
                .filter(|kind| is_alone && is_valid("content-type", kind))
                .map(|kind| ("Content-Type".to_owned(), literal(&kind))),
        );
        draft.timeout.clone_from(&exchange.timeout);
        self.outcome(exchange, &mut draft);
        if let Some(response) = &exchange.response {
            let set = response
                .cookies()
                .into_iter()
                .chain(response.hop_cookies.iter().cloned());
            self.set.extend(set.map(|(name, _)| name));
        }
        // Hints about the same value need not be read twice.
        let mut seen = BTreeSet::new();
        draft
            .comments
            .retain(|comment| seen.insert(comment.clone()));
        Rendered { draft, sent }
    }

    fn address(
        &mut self,
        exchange: &Exchange,
        correlation: &mut Correlation,
        draft: &mut Request,
        sent: &mut Vec<String>,
    ) {
        let own = origin(&exchange.url);
        let target = self.targets.iter().position(|(_, url)| *url == own);
        let mut url = match target {
            Some(0) => String::new(),
            Some(n) => format!("${{param:{}}}", self.targets[n].0),
            None => literal(&own),
        };
        let mut after = "";
        for (index, segment) in exchange.url.path().split('/').enumerate() {
            if index > 0 {
                url.push('/');
            }
            let decoded = percent_encoding::percent_decode_str(segment)
                .decode_utf8_lossy()
                .into_owned();
            match correlation.bind(Slot::Segment { after }, &decoded, exchange.started_ms) {
                Bound::Variable(variable) => url.push_str(&format!("${{{variable}}}")),
                _ if is_secret_value(&decoded) => {
                    url.push_str(&self.secret("token", &decoded, exchange));
                }
                bound => {
                    if let Bound::Hint(hint) = bound {
                        draft.comments.push(hint);
                    }
                    url.push_str(&literal(segment));
                }
            }
            sent.push(decoded);
            after = segment;
        }
        let mut query = Vec::new();
        for pair in exchange
            .url
            .query()
            .unwrap_or("")
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |text: &str| {
                percent_encoding::percent_decode_str(&text.replace('+', " "))
                    .decode_utf8_lossy()
                    .into_owned()
            };
            let (plain_name, value) = (decoded(name), decoded(raw));
            sent.push(value.clone());
            let template = self.value(
                &plain_name,
                &value,
                exchange,
                correlation,
                &mut draft.comments,
            );
            let is_variable = template
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'))
                .is_some_and(floodgate_core::template::is_name);
            let can_be_named = !plain_name.is_empty()
                && plain_name.chars().count() <= 256
                && !plain_name.contains("${")
                && !plain_name.contains('\0');
            match template == literal(&value) {
                true => query.push(literal(pair)),
                false if is_variable => query.push(format!("{}={template}", literal(name))),
                // What is made of several parts, or may have any character, has to be encoded.
                false if can_be_named => draft.params.push((plain_name, template)),
                false => draft.comments.push(
                    "A parameter of the URL is left out: a definition can't name it.".to_owned(),
                ),
            }
        }
        if !query.is_empty() {
            url.push('?');
            url.push_str(&query.join("&"));
        }
        draft.url = url;
    }

    fn headers(
        &mut self,
        exchange: &Exchange,
        correlation: &mut Correlation,
        draft: &mut Request,
        sent: &mut Vec<String>,
    ) {
        if let Some(User {
            name,
            password,
            digest,
        }) = &exchange.user
        {
            draft.auth = Some(self.user(name, password, *digest, exchange));
        }
        for (name, value) in &exchange.headers {
            let lower = name.to_ascii_lowercase();
            match lower.as_str() {
                "cookie" => self.cookies(value, exchange, draft),
                "authorization" => {
                    self.remember_credentials(value, exchange);
                    if draft.auth.is_none() {
                        self.authorization(value, exchange, correlation, draft);
                    }
                }
                "origin" => {
                    // Servers compare it with their own name for requests that change something.
                    let matters = !matches!(draft.method.as_str(), "GET" | "HEAD");
                    let own = self.targets.iter().find(|(_, url)| url == value);
                    draft.headers.extend(
                        own.filter(|_| matters)
                            .map(|(param, _)| (name.clone(), format!("${{param:{param}}}"))),
                    );
                }
                "content-type" => {
                    if matches!(exchange.body, Payload::None | Payload::Lost { .. })
                        && is_valid(name, value)
                        && !matches!(draft.method.as_str(), "GET" | "HEAD")
                    {
                        draft.headers.push((name.clone(), literal(value)));
                    }
                }
                "proxy-authorization" => self.remember_credentials(value, exchange),
                _ if is_volatile(name, value) => {}
                _ if !is_valid(name, value) => draft.comments.push(format!(
                    "The header {} is left out: it can't be sent as it was recorded.",
                    floodgate_records::printable::quoted(name)
                )),
                _ if is_fresh(name) => draft.headers.push((name.clone(), "${uuid()}".to_owned())),
                _ => {
                    sent.push(value.clone());
                    let named = (name.as_str(), is_secret_header(name));
                    let comments = &mut draft.comments;
                    let value = self.named(named, value, exchange, correlation, comments);
                    draft.headers.push((name.clone(), value));
                }
            }
        }
    }

    /// What follows the scheme of credentials is as confidential alone.
    fn remember_credentials(&mut self, value: &str, exchange: &Exchange) {
        let (_, credentials) = value.trim().split_once(' ').unwrap_or(("", value));
        let place = self.place(exchange, "credentials");
        self.secrets
            .remember("credentials", credentials.trim(), &place);
    }

    fn authorization(
        &mut self,
        value: &str,
        exchange: &Exchange,
        correlation: &mut Correlation,
        draft: &mut Request,
    ) {
        let (scheme, credentials) = value.trim().split_once(' ').unwrap_or(("", value));
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = base64::engine::general_purpose::STANDARD
                .decode(credentials)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some((name, password)) = decoded.as_deref().and_then(|pair| pair.split_once(':'))
            {
                draft.auth = Some(self.user(name, password, false, exchange));
                return;
            }
        }
        if scheme.eq_ignore_ascii_case("digest") {
            draft.comments.push(
                "The recording authenticated by HTTP Digest; its user and password are not in it."
                    .into(),
            );
            let user = self.user_name("digest user", exchange);
            let password = self.secret("password", "digest password", exchange);
            draft.auth = Some(Auth::Digest {
                username: user,
                password,
            });
            return;
        }
        let bound = match credentials.is_empty() {
            true => return,
            false => correlation.bind(Slot::Named("token"), credentials, exchange.started_ms),
        };
        let token = match bound {
            Bound::Variable(variable) => format!("${{{variable}}}"),
            _ if scheme.eq_ignore_ascii_case("bearer") => {
                self.secret("token", credentials, exchange)
            }
            _ => {
                return draft.headers.push((
                    "Authorization".into(),
                    self.secret("authorization", value, exchange),
                ));
            }
        };
        match scheme.eq_ignore_ascii_case("bearer") {
            true => draft.auth = Some(Auth::Bearer(token)),
            false => draft.headers.push((
                "Authorization".into(),
                format!("{} {token}", literal(scheme))
                    .trim_start()
                    .to_owned(),
            )),
        }
    }

    fn user_name(&mut self, name: &str, exchange: &Exchange) -> String {
        let place = self.place(exchange, "user");
        self.secrets.keep_user("user", name, &place)
    }

    fn user(&mut self, name: &str, password: &str, digest: bool, exchange: &Exchange) -> Auth {
        let username = if name.is_empty() {
            String::new()
        } else {
            self.user_name(name, exchange)
        };
        let password = if password.is_empty() {
            String::new()
        } else {
            self.secret("password", password, exchange)
        };
        match digest {
            true => Auth::Digest { username, password },
            false => Auth::Basic { username, password },
        }
    }

    /// Cookies are kept by the client. Those that no response set were there before the recording.
    fn cookies(&mut self, value: &str, exchange: &Exchange, draft: &mut Request) {
        let pairs = || {
            value
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
        };
        for (name, value) in pairs() {
            let value = value.trim_matches('"');
            if is_session(name) || is_secret_value(value) || is_strong(value) {
                let place = self.place(exchange, &format!("cookie {name}"));
                self.secrets.remember(name, value, &place);
            }
        }
        if exchange.response.is_none() {
            let cookie = self.secret("cookie", value, exchange);
            draft.headers.push(("Cookie".into(), cookie));
            return;
        }
        for (name, value) in pairs() {
            if !self.set.contains(name) && !self.brought.iter().any(|(known, _)| known == name) {
                self.brought.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// What is to be said about the requests together.
    pub(super) fn notes(&mut self, headers: &mut Vec<(String, String)>) -> Vec<String> {
        let brought: Vec<_> = self
            .brought
            .iter()
            .filter(|(name, _)| !self.set.contains(name))
            .cloned()
            .collect();
        if brought.is_empty() {
            return Vec::new();
        }
        let names: Vec<_> = brought.iter().map(|(name, _)| name.as_str()).collect();
        let session = brought.iter().any(|(name, _)| is_session(name));
        if session {
            let value: Vec<_> = brought
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let place = format!(
                "cookies from before the recording, as NAME=VALUE; NAME=VALUE: {}",
                names.join(", ")
            );
            headers.push((
                "Cookie".to_owned(),
                self.secrets.keep("cookie", &value.join("; "), &place),
            ));
        }
        let what = if session {
            "they are sent from a secret: better record the login, too"
        } else {
            "they are not sent"
        };
        vec![format!(
            "The browser had cookies that no response here sets; {what}: {}.",
            names.join(", ")
        )]
    }

    /// What has to come back.
    fn outcome(&self, exchange: &Exchange, draft: &mut Request) {
        let Some(response) = &exchange.response else {
            // As curl with -L, where the others follow none.
            draft.redirects = exchange.follows.then_some(10);
            let range = if exchange.follows {
                "status in 200..299"
            } else {
                "status in 200..399"
            };
            draft.checks.push(range.to_owned());
            return;
        };
        // Without the recording's cache there is nothing that has not changed.
        let status = if response.status == 304 {
            200
        } else {
            response.status
        };
        if (300..400).contains(&status) {
            draft.redirects = Some(0);
        }
        if status >= 400 {
            draft.comments.push(format!(
                "The recording has {status} here. Is it what you want to measure?"
            ));
            draft.expect = Some(status);
        }
        draft.checks.push(format!("status == {status}"));
        let is_graphql = matches!(&draft.body, Body::Json(value) if value.get("query").is_some_and(serde_json::Value::is_string));
        let answered = response
            .body
            .as_deref()
            .is_some_and(|body| body.contains("\"data\"") && !body.contains("\"errors\""));
        if is_graphql && answered && status < 300 {
            // GraphQL has errors in answers with the status 200.
            draft.checks.push("$.errors not exists".to_owned());
        }
    }
}

/// Whether a cookie of this name tells who its owner is.
fn is_session(name: &str) -> bool {
    is_secret_field(name) || name.to_ascii_lowercase().contains("sess")
}
