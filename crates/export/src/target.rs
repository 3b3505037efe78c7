//! Where an export goes: a URL without secrets, and the secrets that it refers to.

mod parse;

use crate::sink::{Run, Sink};
use floodgate_records::reach::Reach;
pub use parse::parse;
use std::collections::BTreeMap;
use std::fmt;
use std::net::TcpListener;
use std::sync::Arc;

/// Opens a sink: it checks what the target says, and neither connects nor writes.
pub type Open = fn(&Target, &Run) -> Result<Box<dyn Sink>, TargetError>;

/// A kind of sink.
#[derive(Debug)]
pub struct Scheme {
    /// What its URLs begin with.
    pub names: &'static [&'static str],
    /// The same, where the connection is encrypted.
    pub tls_names: &'static [&'static str],
    /// How its URL is written, for messages.
    pub shown: &'static str,
    /// The port, if the URL names none. `None`: it has neither host nor port.
    pub default_port: Option<u16>,
    /// Its own options, `?name=value`, beside [`COMMON_OPTIONS`].
    pub options: &'static [&'static str],
    /// Variables that hold the password; the first that is set counts. Empty: it has none.
    pub password_env: &'static [&'static str],
    /// Variables that hold a token. Empty: it has none.
    pub token_env: &'static [&'static str],
    /// Whether a batch that is pushed twice leaves the same as one that is pushed once.
    pub again_is_the_same: bool,
    /// Whether it waits at its URL to be asked, instead of sending: then nothing is delivered unless somebody asks while a run goes on.
    pub serves: bool,
    /// Makes it.
    pub open: Open,
}

/// Options that every sink has.
pub const COMMON_OPTIONS: &[&str] = &["interval", "max_series", "testid"];

/// A parsed URL, its references resolved.
#[derive(Clone)]
pub struct Target {
    /// Its kind.
    pub scheme: &'static Scheme,
    /// As it was given, with references as they are written.
    pub url: String,
    /// The host; empty without one. IPv6 addresses stand without brackets.
    pub host: String,
    /// The port; 0 without a host.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// What follows host and port, percent-encoded and with its slash; of a file its path as it is.
    pub path: String,
    /// Who writes.
    pub user: Option<String>,
    /// What proves it.
    pub credentials: Credentials,
    /// `?name=value`, decoded.
    pub options: BTreeMap<String, String>,
    /// Where it may be.
    pub reach: Reach,
    /// Its port, if it [serves](Scheme::serves) and has been [bound](Self::bound).
    pub listener: Option<Arc<TcpListener>>,
}

/// What proves who writes.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Of the user.
    pub password: Option<Secret>,
    /// Instead of user and password.
    pub token: Option<Secret>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one who is to have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.url)
    }
}

/// As messages name it: as it was given, which holds no secret.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Target {
    /// The same, connecting only to where it may be.
    #[must_use]
    pub fn within(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// The same, listening already if it [serves](Scheme::serves): so an address that is in use is told before a run begins.
    ///
    /// # Errors
    /// [`TargetError`] for an address that cannot be listened at.
    pub fn bound(mut self) -> Result<Self, TargetError> {
        if self.scheme.serves {
            self.listener = Some(Arc::new(self.listen()?));
        }
        Ok(self)
    }

    /// Listens at its address; once it is [bound](Self::bound), with the same port.
    ///
    /// # Errors
    /// As for [`Self::bound`].
    pub fn listen(&self) -> Result<TcpListener, TargetError> {
        let bind = || {
            let listener = TcpListener::bind((self.host.as_str(), self.port))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let listener = self.listener.as_ref();
        listener
            .map_or_else(bind, |bound| bound.try_clone())
            .map_err(|error: std::io::Error| {
                let remedy = "name an address of this machine and a port that is free";
                TargetError::new(&self.url, format!("cannot listen there: {error}; {remedy}"))
            })
    }

    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// The last part of the path, decoded: a database, a bucket.
    pub fn database(&self) -> Option<String> {
        let last = self.path.trim_end_matches('/').rsplit('/').next()?;
        let decoded = percent_encoding::percent_decode_str(last)
            .decode_utf8()
            .ok()?;
        Some(decoded.into_owned()).filter(|name| !name.is_empty())
    }

    /// `HOST:PORT`, for messages and the header `Host`.
    pub fn authority(&self) -> String {
        let (host, port) = (&self.host, self.port);
        match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        }
    }

    /// Credentials that stand beside the URL.
    ///
    /// # Errors
    /// [`TargetError`] for one that this kind of sink does not have.
    pub fn with_credentials(
        mut self,
        password: Option<&str>,
        token: Option<&str>,
    ) -> Result<Self, TargetError> {
        let none =
            |what: &str| TargetError::new(&self.url, format!("takes no {what}; leave it out"));
        if password.is_some() && self.scheme.password_env.is_empty() {
            return Err(none("password"));
        }
        if token.is_some() && self.scheme.token_env.is_empty() {
            return Err(none("token"));
        }
        if let Some(password) = password {
            self.credentials.password = Some(Secret::new(password));
        }
        if let Some(token) = token {
            self.credentials.token = Some(Secret::new(token));
        }
        Ok(self)
    }

    /// Why an option is refused.
    pub fn bad_option(&self, name: &str, allowed: &str) -> TargetError {
        let value = self.option(name).unwrap_or_default();
        TargetError::new(
            &self.url,
            format!("{name}={value} is not valid: write {name}={allowed}"),
        )
    }
}

/// What references stand for.
pub trait References {
    /// The value of `${env:NAME}`.
    fn env(&self, name: &str) -> Option<String>;

    /// The value of `${secret:NAME}`.
    ///
    /// # Errors
    /// Where it was looked for: a sentence.
    fn secret(&self, name: &str) -> Result<String, String>;
}

/// Why a URL cannot be exported to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {problem}")]
pub struct TargetError {
    /// As given; a password in it is masked.
    pub url: String,
    /// What is wrong, and the remedy.
    pub problem: String,
}

impl TargetError {
    /// Of a URL that holds no secret.
    pub fn new(url: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            problem: problem.into(),
        }
    }
}
