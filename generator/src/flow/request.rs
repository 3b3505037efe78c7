//! Requests made ready: what is fixed is fixed once, the rest is filled in for each iteration.

use super::address::{Address, UserInfo};
use super::body::BodyPlan;
use super::credentials::Credentials;
use super::encode::Encoding;
use super::error::Problem;
use super::files::Files;
use super::io::Request;
use super::symbols::SymbolTable;
use super::text::{Scope, Text};
use crate::exchange::ErrorCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use floodgate_core::definition::{Auth, HttpOptions, RequestStep};
use floodgate_core::template::Template;
use std::rc::Rc;

/// `User-Agent` unless the definition says otherwise.
const USER_AGENT: &str = concat!("floodgate/", env!("CARGO_PKG_VERSION"));

/// A request with what has to be filled in.
#[derive(Debug)]
pub(crate) struct RequestTemplate {
    method: Rc<str>,
    address: Address,
    /// Instead of the address's authority, from a `Host` header.
    host: Option<Value>,
    headers: Vec<(Rc<str>, Value)>,
    body: BodyPlan,
    /// User and password for challenges.
    digest: Option<(Text, Text)>,
}

/// A header's value.
#[derive(Debug)]
enum Value {
    Fixed(Bytes),
    Text(Text),
    Basic(Text, Text),
    Bearer(Text),
}

impl RequestTemplate {
    /// The request of a step: the scenario's options, and the step's own on top.
    pub(crate) fn compile(
        step: &RequestStep,
        http: &HttpOptions,
        target: Option<&str>,
        names: &SymbolTable<'_>,
        files: &Files,
        boundary: &str,
    ) -> Result<Self, Problem> {
        if !is_token(&step.method) {
            return Err(Problem::NotAToken(step.method.clone(), "method"));
        }
        let (address, user) = Address::compile(target, &step.url, &step.params, names)?;
        let (body, content_type) = BodyPlan::compile(&step.body, names, files, boundary)?;
        let mut headers = Headers {
            names,
            list: Vec::new(),
        };
        headers.merge(http, step, user)?;
        headers.default(
            "User-Agent",
            Some(http.user_agent.as_deref().unwrap_or(USER_AGENT)),
        )?;
        headers.default("Accept", Some("*/*"))?;
        let encodings = http.accept_encoding.join(", ");
        headers.default(
            "Accept-Encoding",
            Some(encodings.as_str()).filter(|e| !e.is_empty()),
        )?;
        headers.default("Content-Type", content_type.as_deref())?;
        // a client that does not persist has to say so (RFC 9112 §9.6): else the server keeps what is dropped under it
        headers.default("Connection", Some("close").filter(|_| !http.keep_alive))?;
        let digest = headers.digest(http, step)?;
        let mut headers = headers.list;
        let host = headers
            .iter()
            .position(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.map(|at| headers.remove(at).1);
        // The client writes it from the body; two that differ would be an attack on the target's parser.
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        Ok(Self {
            method: step.method.as_str().into(),
            address,
            host,
            headers,
            body,
            digest,
        })
    }

    /// Whether challenges are answered.
    pub(crate) fn answers_challenges(&self) -> bool {
        self.digest.is_some()
    }

    /// Whether every request is the same.
    pub(crate) fn is_fixed(&self) -> bool {
        let fixed = |value: &Value| matches!(value, Value::Fixed(_));
        self.address.is_fixed()
            && self.body.is_fixed()
            && self.digest.iter().all(|(user, password)| {
                user.as_literal().is_some() && password.as_literal().is_some()
            })
            && self.host.iter().all(fixed)
            && self.headers.iter().all(|(_, value)| fixed(value))
    }

    /// Fills in a request.
    ///
    /// # Errors
    /// [`ErrorCode::BadUrl`] or [`ErrorCode::BadHeader`], if that is what the values make of it.
    pub(crate) fn render(
        &self,
        scope: &mut Scope<'_>,
        request: &mut Request,
    ) -> Result<(), ErrorCode> {
        request.method = Rc::clone(&self.method);
        self.address.render(scope, request)?;
        if let Some(host) = &self.host {
            let value = host.render(scope)?;
            request.authority = std::str::from_utf8(&value)
                .map_err(|_| ErrorCode::BadHeader)?
                .into();
        }
        request.headers.clear();
        for (name, value) in &self.headers {
            request
                .headers
                .push((Rc::clone(name), value.render(scope)?));
        }
        request.body = self.body.render(scope);
        request.digest = self.digest.as_ref().map(|(username, password)| {
            Rc::new(Credentials {
                username: username.rendered(scope),
                password: password.rendered(scope),
            })
        });
        Ok(())
    }
}

impl Value {
    fn render(&self, scope: &mut Scope<'_>) -> Result<Bytes, ErrorCode> {
        let text = match self {
            Self::Fixed(bytes) => return Ok(bytes.clone()),
            Self::Text(text) => text.rendered(scope),
            Self::Bearer(token) => format!("Bearer {}", token.rendered(scope)),
            Self::Basic(user, password) => {
                let user = user.rendered(scope);
                basic(&user, &password.rendered(scope))
            }
        };
        // A value must not be able to add a header or end the request (RFC 9110 §5.5).
        if is_field_value(&text) {
            Ok(text.into())
        } else {
            Err(ErrorCode::BadHeader)
        }
    }
}

/// Collects headers; names compare without case.
struct Headers<'a> {
    names: &'a SymbolTable<'a>,
    list: Vec<(Rc<str>, Value)>,
}

impl Headers<'_> {
    /// Step over scenario, headers over `auth` at the same level, and credentials in the URL last.
    fn merge(
        &mut self,
        http: &HttpOptions,
        step: &RequestStep,
        user: Option<UserInfo>,
    ) -> Result<(), Problem> {
        for (name, value) in &http.headers {
            let own = step
                .headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name));
            let replaced = step.auth.is_some() && name.eq_ignore_ascii_case("authorization");
            if !own && !replaced {
                self.push(name, value)?;
            }
        }
        for (name, value) in &step.headers {
            self.push(name, value)?;
        }
        if self.has("authorization") {
            return Ok(());
        }
        let auth = match (step.auth.as_ref().or(http.auth.as_ref()), user) {
            (Some(Auth::Bearer(token)), _) => Value::Bearer(self.text(token)?),
            (Some(Auth::Basic { username, password }), _) => {
                Value::Basic(self.text(username)?, self.text(password)?)
            }
            (None, Some((user, password))) => Value::Fixed(basic(&user, &password).into()),
            // they are not sent before they are asked for
            (Some(Auth::Digest { .. }), _) | (None, None) => return Ok(()),
        };
        let auth = match &auth {
            Value::Bearer(token) => token.as_literal().map(|token| format!("Bearer {token}")),
            Value::Basic(user, password) => user
                .as_literal()
                .zip(password.as_literal())
                .map(|(u, p)| basic(u, p)),
            _ => None,
        }
        .map_or(Ok(auth), |fixed| fixed_value("Authorization", &fixed))?;
        self.list.push(("Authorization".into(), auth));
        Ok(())
    }

    /// User and password for challenges, unless a header stands for them.
    fn digest(
        &self,
        http: &HttpOptions,
        step: &RequestStep,
    ) -> Result<Option<(Text, Text)>, Problem> {
        match step.auth.as_ref().or(http.auth.as_ref()) {
            Some(Auth::Digest { username, password }) if !self.has("authorization") => {
                Ok(Some((self.text(username)?, self.text(password)?)))
            }
            _ => Ok(None),
        }
    }

    fn push(&mut self, name: &str, value: &Template) -> Result<(), Problem> {
        if !is_token(name) {
            return Err(Problem::NotAToken(name.to_owned(), "header name"));
        }
        let text = self.text(value)?;
        let value = match text.as_literal() {
            Some(literal) => fixed_value(name, literal)?,
            None => Value::Text(text),
        };
        self.list.push((name.into(), value));
        Ok(())
    }

    fn default(&mut self, name: &str, value: Option<&str>) -> Result<(), Problem> {
        if let Some(value) = value
            && !self.has(name)
        {
            self.list.push((name.into(), fixed_value(name, value)?));
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.list
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    fn text(&self, template: &Template) -> Result<Text, Problem> {
        Text::compile(template, self.names, Encoding::Raw)
    }
}

fn fixed_value(name: &str, value: &str) -> Result<Value, Problem> {
    if !is_field_value(value) {
        return Err(Problem::BadHeaderValue(name.to_owned()));
    }
    Ok(Value::Fixed(Bytes::copy_from_slice(value.as_bytes())))
}

/// RFC 7617 §2, in UTF-8.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// RFC 9110 §5.5: no control characters but the tab.
fn is_field_value(text: &str) -> bool {
    text.bytes().all(|b| b == b'\t' || !b.is_ascii_control())
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
