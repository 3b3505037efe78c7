//! HTTP for sinks: one kept connection, one request at a time.

use crate::connect::connect;
use crate::sink::SinkError;
use crate::target::{Credentials, Target};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use floodgate_records::printable::printable;
use floodgate_records::reach::Reach;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Bytes of a response that are read unless more is asked for; what sinks answer is short, or a page of some other server.
const MAX_BODY: usize = 4 << 10;
/// Characters of it that messages show.
const SHOWN: usize = 200;

/// A server that takes requests.
pub struct Http {
    host: String,
    port: u16,
    authority: String,
    tls: bool,
    reach: Reach,
    authorization: Option<HeaderValue>,
    /// Bytes of a response that are read.
    most: usize,
    /// Absent while a request is on its way: one that is dropped takes its connection with it.
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
    /// What the body is, in lower case and without parameters; empty if it does not say.
    pub content_type: String,
    /// The beginning of the body.
    pub body: Bytes,
}

impl Http {
    /// The server of a target; nothing is connected yet. A token becomes `Authorization: Bearer`, a user and password `Basic`.
    pub fn new(target: &Target) -> Self {
        Self {
            host: target.host.clone(),
            port: target.port,
            authority: target.authority(),
            tls: target.tls,
            reach: target.reach,
            authorization: authorization(&target.credentials, target.user.as_deref(), "Bearer"),
            most: MAX_BODY,
            connection: None,
        }
    }

    /// The server of `http[s]://HOST[:PORT][/PATH]`, with the path, which has no slash at its end.
    ///
    /// # Errors
    /// [`SinkError::Never`] for a URL that is none.
    pub fn of_url(
        url: &str,
        user: Option<&str>,
        credentials: &Credentials,
    ) -> Result<(Self, String), SinkError> {
        let invalid = |why: &str| SinkError::never(format!("{url:?} is not a valid URL: {why}"));
        let parsed = url::Url::parse(url).map_err(|error| invalid(&error.to_string()))?;
        let tls = match parsed.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(invalid(&format!("{other}: is neither http: nor https:"))),
        };
        let shown = parsed.host_str().ok_or_else(|| invalid("it has no host"))?;
        let port = parsed.port_or_known_default().unwrap_or_default();
        let http = Self {
            host: shown.trim_matches(['[', ']']).to_owned(),
            port,
            authority: format!("{shown}:{port}"),
            tls,
            reach: Reach::Anywhere,
            authorization: authorization(credentials, user, "Bearer"),
            most: MAX_BODY,
            connection: None,
        };
        Ok((http, parsed.path().trim_end_matches('/').to_owned()))
    }

    /// The same, reading so many bytes of each response.
    #[must_use]
    pub fn reading(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The same with another scheme than `Bearer` for the token.
    #[must_use]
    pub fn with_token_as(mut self, target: &Target, scheme: &str) -> Self {
        self.authorization = authorization(&target.credentials, target.user.as_deref(), scheme);
        self
    }

    /// Sends a body to a path and reads the answer, whatever its status.
    ///
    /// # Errors
    /// [`SinkError::Again`] if there is no connection, or no answer; [`SinkError::Never`] for a path that is none.
    pub async fn post(
        &mut self,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, SinkError> {
        let mut request = Request::post(path_and_query)
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("floodgate/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_LENGTH, body.len());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|error| {
            SinkError::never(format!("{path_and_query:?} is not a valid path")).because(error)
        })?;
        let mut connection = match self.connection.take() {
            Some(kept) if kept.is_ready() => kept,
            _ => self.connect().await?,
        };
        let sent = connection.send_request(request).await;
        let response = sent.map_err(|error| self.failed("did not answer", error))?;
        let (answer, is_read) = self.read(response).await?;
        self.connection = is_read.then_some(connection);
        Ok(answer)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, SinkError> {
        let failed = |error| self.failed("cannot be reached", error);
        let stream = connect(&self.host, self.port, self.reach, failed).await?;
        // Whole requests are written at once.
        let _ = stream.set_nodelay(true);
        if !self.tls {
            return self.speak(stream).await;
        }
        let tls = tls().map_err(|error| SinkError::never("TLS cannot be set up").because(error))?;
        let name = ServerName::try_from(self.host.clone()).map_err(|error| {
            SinkError::never(format!("{} is not a valid host name", self.host)).because(error)
        })?;
        let stream = TlsConnector::from(tls).connect(name, stream).await;
        self.speak(stream.map_err(|error| self.failed("refuses TLS", error))?)
            .await
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<SendRequest<Full<Bytes>>, SinkError> {
        let shaken = handshake(TokioIo::new(stream)).await;
        let (sender, connection) =
            shaken.map_err(|error| self.failed("does not speak HTTP", error))?;
        // It ends with the sender; what it fails by, the request reports.
        tokio::spawn(connection);
        Ok(sender)
    }

    /// The answer, and whether all of it was read.
    async fn read(&self, mut response: Response<Incoming>) -> Result<(Answer, bool), SinkError> {
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.and_then(|value| value.split(';').next());
        let content_type = content_type.unwrap_or_default().trim().to_ascii_lowercase();
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let mut is_read = true;
        while let Some(frame) = response.body_mut().frame().await {
            let frame = frame.map_err(|error| self.failed("broke off its answer", error))?;
            body.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            if body.len() > self.most {
                body.truncate(self.most);
                is_read = false;
                break;
            }
        }
        let answer = Answer {
            status,
            retry_after,
            content_type,
            body: body.into(),
        };
        Ok((answer, is_read))
    }

    fn failed(
        &self,
        what: &str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> SinkError {
        SinkError::again(format!("{} {what}", self.authority)).because(error)
    }
}

impl Answer {
    /// Whether the request was accepted, by the usual meaning of the status.
    ///
    /// # Errors
    /// [`SinkError::Again`] for 408, 425, 429 and 5xx, [`SinkError::Never`] for redirections, 401, 403, 404, 405 and web pages,
    /// [`SinkError::Batch`] for all others.
    pub fn accepted(self) -> Result<Self, SinkError> {
        let said = format!("answered {}{}", self.status, self.said());
        match self.status {
            200..=299 if self.is_page() => Err(SinkError::never(format!(
                "answered {} with a web page, which is not what a store does; check the URL",
                self.status
            ))),
            200..=299 => Ok(self),
            408 | 425 | 429 | 500..=599 => Err(SinkError::Again {
                what: said,
                after: self.retry_after,
                source: None,
            }),
            401 | 403 => Err(SinkError::never(format!(
                "{said}; check user, password or token"
            ))),
            300..=399 | 404 | 405 => Err(SinkError::never(format!("{said}; check the URL"))),
            _ => Err(SinkError::batch(said)),
        }
    }

    /// Whether it is for people to read: a proxy, a login or another server, whatever the status says.
    fn is_page(&self) -> bool {
        let begins = self.body.trim_ascii_start();
        let is_html = |tag: &str| {
            let begin = begins.get(..tag.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(tag.as_bytes()))
        };
        let says_so = ["text/html", "application/xhtml+xml"].contains(&self.content_type.as_str());
        (says_so && !begins.is_empty()) || is_html("<!doctype html") || is_html("<html")
    }

    /// What the body says, as it may stand in a message after the status: `: text`, or nothing.
    pub fn said(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = printable(&text).chars().take(SHOWN).collect();
        match shown.is_empty() {
            true => shown,
            false => format!(": {shown}"),
        }
    }
}

fn authorization(
    credentials: &Credentials,
    user: Option<&str>,
    scheme: &str,
) -> Option<HeaderValue> {
    let text = match (&credentials.token, user, &credentials.password) {
        (Some(token), ..) => format!("{scheme} {}", token.expose()),
        (None, Some(user), password) => {
            let password = password.as_ref().map_or("", |password| password.expose());
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        }
        _ => return None,
    };
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn tls() -> Result<Arc<ClientConfig>, tokio_rustls::rustls::Error> {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions()?;
    Ok(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}
