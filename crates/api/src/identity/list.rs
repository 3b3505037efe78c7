//! The list of tokens as it is written, and its changes: who has which role in a project.

use super::error::ConfigError;
use floodgate_control::schedules::principal_of;
use floodgate_policy::Role;
use floodgate_records::printable::shows;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Characters of a principal's name at most.
const LONGEST_NAME: usize = 200;

/// Why a name can't be that of a token's holder: what they do would stand in the audit trail as proven to be done by something else.
pub(super) fn taken(principal: &str) -> Option<String> {
    let why = if principal.contains(':') {
        "names with a colon are those of issuers of identities and of AWS; choose one without"
    } else if principal.to_lowercase().starts_with(&principal_of("")) {
        "these are the names of schedules; choose another one"
    } else {
        return None;
    };
    Some(format!("{principal:?} is not a valid name: {why}"))
}

/// The file as written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) tokens: Vec<WrittenToken>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenToken {
    pub(super) principal: String,
    pub(super) sha256: String,
    pub(super) projects: BTreeMap<String, Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<String>,
}

/// What somebody is to be in a project.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) role: Role,
    /// The SHA-256 of a token, for somebody who has none yet.
    pub(crate) sha256: Option<String>,
    /// When that token ends (RFC 3339).
    pub(crate) expires: Option<String>,
}

/// Why a list stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unchanged {
    /// Roles are not given here.
    #[error(
        "there is no list of tokens here: give roles where the issuers of identities are named, in the file of --oidc or in api of the Terraform module"
    )]
    NoList,
    /// Nobody of that name has a token, or a role in the project.
    #[error("{0}")]
    Unknown(String),
    /// What is wanted makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It doesn't go with how things stand.
    #[error("{0}")]
    Conflict(String),
    /// The file cannot be read or written.
    #[error("the list of tokens: {0}")]
    List(#[from] ConfigError),
}

impl Written {
    /// Gives somebody a role in a project, with all of their tokens.
    pub(super) fn give(
        &mut self,
        project: &str,
        principal: &str,
        grant: Grant,
    ) -> Result<(), Unchanged> {
        let sha256 = grant.sha256.map(|digest| digest.to_ascii_lowercase());
        let is_theirs = |token: &WrittenToken| token.principal == principal;
        let is_known = self.tokens.iter().any(is_theirs);
        if let Some(digest) = &sha256 {
            let of = |token: &&WrittenToken| token.sha256.eq_ignore_ascii_case(digest);
            match self.tokens.iter().find(of) {
                Some(token) if is_theirs(token) => {}
                // Whose it is, is nobody's business.
                Some(_) => return Err(Unchanged::Conflict("sha256: make another token".into())),
                // A further token would let its holder act in the name of somebody else.
                None if is_known => {
                    let told = format!(
                        "{principal} has a token already: leave sha256 out, or choose another name"
                    );
                    return Err(Unchanged::Conflict(told));
                }
                None => {}
            }
        }
        if is_known {
            if grant.expires.is_some() {
                let told = "expires: only a new token is given an end".to_owned();
                return Err(Unchanged::Invalid(told));
            }
            for token in self.tokens.iter_mut().filter(|token| is_theirs(token)) {
                token.projects.insert(project.to_owned(), grant.role);
            }
            return Ok(());
        }
        let Some(sha256) = sha256 else {
            return Err(Unchanged::Unknown(format!(
                "{principal:?} has no token here: send the SHA-256 of one as sha256"
            )));
        };
        if let Some(why) = taken(principal) {
            return Err(Unchanged::Invalid(why));
        }
        let length = principal.chars().count();
        let is_text = principal.trim() == principal && principal.chars().all(shows);
        if !(1..=LONGEST_NAME).contains(&length) || !is_text {
            let told = format!(
                "{principal:?} is not a valid name: up to {LONGEST_NAME} characters in one line that can all be seen, without spaces around them"
            );
            return Err(Unchanged::Invalid(told));
        }
        self.tokens.push(WrittenToken {
            principal: principal.to_owned(),
            sha256,
            projects: BTreeMap::from([(project.to_owned(), grant.role)]),
            expires: grant.expires,
        });
        Ok(())
    }

    /// Takes somebody's role in a project; tokens without any are gone.
    pub(super) fn take(&mut self, project: &str, principal: &str) -> Result<(), Unchanged> {
        let mut taken = false;
        for token in &mut self.tokens {
            taken |= token.principal == principal && token.projects.remove(project).is_some();
        }
        if !taken {
            let told = format!("{principal:?} has no role in {project} by a token");
            return Err(Unchanged::Unknown(told));
        }
        self.tokens.retain(|token| !token.projects.is_empty());
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn list() -> Written {
        let token = |principal: &str, digit: &str, project: &str| WrittenToken {
            principal: principal.to_owned(),
            sha256: digit.repeat(64),
            projects: BTreeMap::from([(project.to_owned(), Role::Viewer)]),
            expires: None,
        };
        Written {
            tokens: vec![
                token("ann", "a", "shop"),
                token("ann", "b", "bank"),
                token("bob", "c", "bank"),
            ],
        }
    }

    fn grant(sha256: Option<&str>) -> Grant {
        Grant {
            role: Role::Tester,
            sha256: sha256.map(|digit| digit.repeat(64)),
            expires: None,
        }
    }

    fn roles(list: &Written, principal: &str) -> Vec<Vec<String>> {
        let of = list.tokens.iter().filter(|t| t.principal == principal);
        of.map(|t| {
            let roles = t.projects.iter();
            roles.map(|(p, role)| format!("{p} {role}")).collect()
        })
        .collect()
    }

    #[test]
    fn a_role_is_given_with_all_tokens_and_in_one_project() {
        let mut list = list();
        list.give("shop", "ann", grant(None)).unwrap();
        let now = [
            vec!["shop tester".to_owned()],
            vec!["bank viewer".to_owned(), "shop tester".to_owned()],
        ];
        assert_eq!(roles(&list, "ann"), now);
        list.take("shop", "ann").unwrap();
        assert_eq!(roles(&list, "ann"), [["bank viewer"]]);
        let why = list.take("shop", "ann").unwrap_err().to_string();
        assert_eq!(why, "\"ann\" has no role in shop by a token");
    }

    #[test]
    fn somebody_new_needs_a_token_of_their_own() {
        let mut list = list();
        let why = list.give("shop", "eve", grant(None)).unwrap_err();
        assert!(matches!(why, Unchanged::Unknown(_)), "{why}");
        // That of somebody else, and a second one for a name that is known.
        for (name, digit) in [("eve", "C"), ("bob", "d")] {
            let why = list.give("shop", name, grant(Some(digit))).unwrap_err();
            assert!(matches!(why, Unchanged::Conflict(_)), "{why}");
            assert!(!why.to_string().contains("ann"), "{why}");
        }
        for name in [
            "",
            " eve",
            "e\nve",
            "an\u{200b}n",
            "schedule/nightly",
            "Schedule/nightly",
            "github:repo:acme/shop:ref:refs/heads/main",
            "arn:aws:iam::123456789012:role/ci",
        ] {
            let why = list.give("shop", name, grant(Some("d"))).unwrap_err();
            assert!(matches!(why, Unchanged::Invalid(_)), "{why}");
        }
        list.give("shop", "eve", grant(Some("D"))).unwrap();
        // The same again is the same.
        list.give("shop", "eve", grant(Some("d"))).unwrap();
        assert_eq!(roles(&list, "eve"), [["shop tester"]]);
        assert_eq!(list.tokens.len(), 4);
    }
}
