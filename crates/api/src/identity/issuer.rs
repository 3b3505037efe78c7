//! Providers of identities: whose tokens are taken, for whom they must be meant, and which claims are which role.

use super::error::{ConfigError, Refused};
use super::jwt::Jwt;
use super::keys::{Fetch, Keys};
use super::member::{Member, Via};
use crate::caller::Caller;
use floodgate_policy::{Grants, Role};
use floodgate_records::execution::PrincipalIs;
use floodgate_store::check_name;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    issuers: Vec<Settings>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// What principals begin with: two issuers may know the same name.
    name: String,
    issuer: String,
    audiences: Vec<String>,
    /// A URL, or a file.
    jwks: String,
    /// The claim that names the principal.
    #[serde(default = "subject")]
    principal: String,
    rules: Vec<Rule>,
}

fn subject() -> String {
    "sub".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    when: BTreeMap<String, String>,
    project: String,
    role: Role,
}

impl Config {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// From a text; `path` is what messages call it, and where relative paths in it begin.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, ConfigError> {
        let mut config: Self =
            serde_json::from_slice(text).map_err(|source| ConfigError::Json {
                path: path.to_owned(),
                source,
            })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for (n, issuer) in (1..).zip(&mut config.issuers) {
            let place = format!("issuer {n} ({:?})", issuer.name);
            let wrong = |problem| ConfigError::Entry {
                path: path.to_owned(),
                place: place.clone(),
                problem,
            };
            issuer.check().map_err(wrong)?;
            if !issuer.jwks.contains("://") {
                let file = folder.join(&issuer.jwks);
                if let Err(error) = std::fs::File::open(&file) {
                    let problem = format!(
                        "jwks: {}: {error}; name the file of its keys, or their URL",
                        file.display()
                    );
                    return Err(wrong(problem));
                }
                issuer.jwks = file.display().to_string();
            }
        }
        Ok(config)
    }

    pub(super) fn issuers(self, fetch: &Arc<dyn Fetch>) -> Vec<Issuer> {
        let issuer = |settings: Settings| Issuer {
            keys: Arc::new(Keys::new(&settings.name, &settings.jwks, Arc::clone(fetch))),
            settings,
        };
        self.issuers.into_iter().map(issuer).collect()
    }
}

impl Settings {
    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || self.audiences.iter().all(String::is_empty) {
            return Err("give it a name and audiences: what its tokens must be meant for".into());
        }
        let plain = |url: &str| {
            let rest = url.strip_prefix("http://")?;
            let local = ["127.0.0.1", "localhost", "[::1]"];
            let is_host = |name: &&str| {
                let behind = rest.strip_prefix(name);
                behind.is_some_and(|b| b.is_empty() || b.starts_with([':', '/']))
            };
            (!local.iter().any(is_host)).then_some(())
        };
        if plain(&self.jwks).is_some() {
            return Err("jwks: keys come over https, or from a file".into());
        }
        for rule in &self.rules {
            check_name(&rule.project).map_err(|error| format!("rules: project: {error}"))?;
            // Whoever has an account with a public provider gets a token of it.
            if !rule
                .when
                .values()
                .any(|pattern| pattern != "*" && !pattern.is_empty())
            {
                return Err(format!(
                    "a rule for {} names no claim under when: everybody with a token of this issuer would be {}",
                    rule.project, rule.role
                ));
            }
        }
        Ok(())
    }
}

impl Rule {
    fn holds(&self, jwt: &Jwt<'_>) -> bool {
        let matches = |pattern: &str, value: &Value| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => return false,
            };
            match pattern.strip_suffix('*') {
                Some(start) => text.starts_with(start),
                None => text == pattern,
            }
        };
        self.when
            .iter()
            .all(|(claim, pattern)| match jwt.claims.get(claim) {
                Some(Value::Array(all)) => all.iter().any(|value| matches(pattern, value)),
                Some(value) => matches(pattern, value),
                None => false,
            })
    }
}

/// One provider, with its keys as they were read last.
pub(super) struct Issuer {
    settings: Settings,
    keys: Arc<Keys>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Issuer {
    /// Whether a token says that it is of this issuer.
    pub(super) fn issued(&self, jwt: &Jwt<'_>) -> bool {
        jwt.text("iss") == Some(&self.settings.issuer)
    }

    /// Who brings this token.
    pub(super) async fn caller(&self, jwt: &Jwt<'_>, now_ms: i64) -> Result<Caller, Refused> {
        // Before anything else of it is believed.
        if !self.keys.signed(jwt, now_ms).await? {
            return Err(Refused::Signature);
        }
        jwt.is_timely(now_ms)?;
        if !jwt.is_for(&self.settings.audiences) {
            return Err(Refused::Audience);
        }
        let name = jwt
            .text(&self.settings.principal)
            .ok_or(Refused::Malformed)?;
        let mut grants = Grants::of([]);
        for rule in self.settings.rules.iter().filter(|rule| rule.holds(jwt)) {
            grants.add(&rule.project, rule.role);
        }
        if grants.is_empty() {
            return Err(Refused::NoRole);
        }
        Ok(Caller {
            name: format!("{}:{name}", self.settings.name),
            is: PrincipalIs::Verified,
            grants,
        })
    }

    pub(super) fn members(&self, project: &str) -> impl Iterator<Item = Member> {
        let rules = self
            .settings
            .rules
            .iter()
            .filter(move |r| r.project == project);
        rules.map(|rule| Member {
            principal: format!("{}:*", self.settings.name),
            role: rule.role,
            via: Via::Oidc,
            when: rule.when.clone(),
            expires_ms: None,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_https_unless_they_come_from_this_machine() {
        let check = |jwks: &str| {
            let settings = serde_json::json!({
                "name": "ci", "issuer": "https://ci.example", "audiences": ["floodgate"], "jwks": jwks, "rules": [],
            });
            serde_json::from_value::<Settings>(settings)
                .unwrap()
                .check()
        };
        for taken in [
            "https://ci.example/keys",
            "keys.json",
            "http://localhost/k",
            "http://127.0.0.1:8080/k",
            "http://[::1]:1/k",
        ] {
            assert_eq!(check(taken), Ok(()), "{taken}");
        }
        for refused in [
            "http://ci.example/k",
            "http://localhost.ci.example/k",
            "http://127.0.0.1.ci.example",
            "http://localhost@ci.example/",
        ] {
            assert!(check(refused).is_err(), "{refused}");
        }
    }
}
