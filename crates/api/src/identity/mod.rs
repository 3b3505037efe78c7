//! Who a token is of: a list in a file, or a provider of identities (OpenID Connect) whose keys sign it.

mod error;
mod issuer;
mod jwks;
mod jwt;
mod keys;
mod list;
mod member;
mod tokens;

pub use error::ConfigError;
pub(crate) use error::Refused;
pub use keys::Fetch;
pub(crate) use list::{Grant, Unchanged};
pub(crate) use member::{Member, Via};

use crate::caller::Caller;
use floodgate_policy::Role;
use issuer::{Config, Issuer};
use jwt::Jwt;
use std::path::Path;
use std::sync::Arc;
use tokens::{TokenFile, end_of};

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

    /// Gives somebody of the list a role in a project, from now on.
    pub(crate) fn give(
        &self,
        (project, principal): (&str, &str),
        grant: Grant,
        now_ms: i64,
    ) -> Result<(), Unchanged> {
        let tokens = self.tokens.as_ref().ok_or(Unchanged::NoList)?;
        if let Some(text) = &grant.expires
            && end_of(text).map_err(Unchanged::Invalid)? <= now_ms
        {
            let told = format!("expires: {text} has passed; write a time that lies ahead");
            return Err(Unchanged::Invalid(told));
        }
        tokens.change(project, self.is_held(project), now_ms, |list| {
            list.give(project, principal, grant)
        })
    }

    /// Takes somebody of the list the role in a project, from now on.
    pub(crate) fn take(
        &self,
        (project, principal): (&str, &str),
        now_ms: i64,
    ) -> Result<(), Unchanged> {
        let tokens = self.tokens.as_ref().ok_or(Unchanged::NoList)?;
        tokens.change(project, self.is_held(project), now_ms, |list| {
            list.take(project, principal)
        })
    }

    /// Whether identities of an issuer may be admins of a project.
    fn is_held(&self, project: &str) -> bool {
        let mut members = self.issuers.iter().flat_map(|i| i.members(project));
        members.any(|member| member.role == Role::Admin)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    const NOW_MS: i64 = 1_800_000_000_000;

    fn list(ends: &str) -> String {
        let token = |name: &str, digit: &str, role: &str, more: &str| {
            let digest = digit.repeat(64);
            format!(
                r#"{{"principal": "{name}", "sha256": "{digest}", "projects": {{"shop": "{role}"}}{more}}}"#
            )
        };
        let expired = token("former", "b", "admin", &format!(r#", "expires": "{ends}""#));
        format!(
            r#"{{"tokens": [{}, {expired}]}}"#,
            token("ann", "a", "admin", "")
        )
    }

    #[test]
    fn a_project_keeps_an_admin_and_the_file_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (
            folder.path().join("real.json"),
            folder.path().join("tokens.json"),
        );
        std::fs::write(&file, list("2026-01-01T00:00:00Z")).unwrap();
        let rights = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(&file, rights).unwrap();
        symlink(&file, &link).unwrap();
        let known = Identities::default().with_tokens(&link).unwrap();
        let viewer = || Grant {
            role: Role::Viewer,
            sha256: None,
            expires: None,
        };
        // The other admin's token has expired.
        let demoted = known.give(("shop", "ann"), viewer(), NOW_MS);
        for why in [demoted, known.take(("shop", "ann"), NOW_MS)] {
            let why = why.unwrap_err().to_string();
            assert!(why.contains("shop would have no admin any more"), "{why}");
        }
        known.take(("shop", "former"), NOW_MS).unwrap();
        let left = std::fs::read_to_string(&file).unwrap();
        assert!(left.contains("ann") && !left.contains("former"), "{left}");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        let none = Identities::default().take(("shop", "ann"), NOW_MS);
        assert!(matches!(none, Err(Unchanged::NoList)));
    }
}
