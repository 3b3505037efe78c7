//! Who a token is of: a list in a file, or a provider of identities (OpenID Connect) whose keys sign it.

mod error;
mod issuer;
mod jwks;
mod jwt;
mod keys;
mod member;
mod tokens;

pub use error::ConfigError;
pub(crate) use error::Refused;
pub use keys::Fetch;
pub(crate) use member::{Member, Via};

use crate::caller::Caller;
use issuer::{Config, Issuer};
use jwt::Jwt;
use std::path::Path;
use std::sync::Arc;
use tokens::TokenFile;

/// Whom tokens are of.
#[derive(Debug, Default)]
pub struct Identities {
    tokens: Option<TokenFile>,
    issuers: Vec<Issuer>,
}

impl Identities {
    /// With the tokens that a file lists. It is read again whenever it has changed, so that one is taken back by taking it out.
    ///
    /// # Errors
    /// A file that cannot be read or is no list of tokens.
    pub fn with_tokens(self, path: &Path) -> Result<Self, ConfigError> {
        Ok(Self {
            tokens: Some(TokenFile::open(path)?),
            ..self
        })
    }

    /// With the providers that a file names; `fetch` gets their keys.
    ///
    /// # Errors
    /// A file that cannot be read or names a provider in a way that would let anybody in.
    pub fn with_issuers(self, path: &Path, fetch: Arc<dyn Fetch>) -> Result<Self, ConfigError> {
        let issuers = Config::read(path)?.issuers(&fetch);
        Ok(Self { issuers, ..self })
    }

    /// The same, of a text that lies elsewhere; `origin` is what messages call it.
    ///
    /// # Errors
    /// As for [`Identities::with_issuers`].
    pub fn with_issuers_of(
        self,
        origin: &Path,
        text: &[u8],
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, ConfigError> {
        let issuers = Config::parse(origin, text)?.issuers(&fetch);
        Ok(Self { issuers, ..self })
    }

    /// Who brings this token.
    pub(crate) async fn caller(&self, token: &str, now_ms: i64) -> Result<Caller, Refused> {
        let Some(jwt) = Jwt::parse(token)? else {
            let tokens = self.tokens.as_ref().ok_or(Refused::Unknown)?;
            return tokens.caller(token, now_ms);
        };
        let issued = |issuer: &&Issuer| issuer.issued(&jwt);
        let issuer = self.issuers.iter().find(issued).ok_or(Refused::Issuer)?;
        issuer.caller(&jwt, now_ms).await
    }

    /// Who has a role in a project, and by what.
    pub(crate) fn members(&self, project: &str) -> Result<Vec<Member>, Refused> {
        let mut members = match &self.tokens {
            Some(tokens) => tokens.members(project)?,
            None => Vec::new(),
        };
        members.extend(self.issuers.iter().flat_map(|i| i.members(project)));
        Ok(members)
    }
}
