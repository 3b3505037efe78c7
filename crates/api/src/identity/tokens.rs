//! Tokens of a list. It has only their SHA-256: a token is random, so that nothing can be guessed from that.

use super::error::{ConfigError, Refused};
use super::list::{Unchanged, Written, taken};
use super::member::{Member, Via};
use crate::caller::Caller;
use chrono::DateTime;
use floodgate_policy::{Grants, Role};
use floodgate_records::execution::PrincipalIs;
use floodgate_records::printable::hex;
use floodgate_store::check_name;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Characters of a token at least: 20 random letters and digits are more than 100 bits.
const SHORTEST: usize = 20;

#[derive(Debug)]
struct Token {
    principal: String,
    projects: BTreeMap<String, Role>,
    expires_ms: Option<i64>,
}

/// When and how long a file was, to tell whether it has changed.
type Stamp = (SystemTime, u64);

/// By SHA-256.
type List = BTreeMap<String, Token>;

/// The list, as it stands in the file.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    read: Mutex<(Stamp, List)>,
}

impl TokenFile {
    pub(super) fn open(path: &Path) -> Result<Self, ConfigError> {
        let path = path.to_owned();
        let read = Mutex::new((stamp(&path)?, parse(&path, &bytes(&path)?)?));
        Ok(Self { path, read })
    }

    pub(super) fn caller(&self, token: &str, now_ms: i64) -> Result<Caller, Refused> {
        if token.len() < SHORTEST {
            return Err(Refused::Unknown);
        }
        let digest = hex(Sha256::digest(token));
        self.with(|list| {
            let found = list.get(&digest).ok_or(Refused::Unknown)?;
            if found.expires_ms.is_some_and(|end| now_ms >= end) {
                return Err(Refused::Expired);
            }
            Ok(Caller {
                name: found.principal.clone(),
                is: PrincipalIs::Verified,
                grants: Grants::of(found.projects.clone()),
            })
        })?
    }

    pub(super) fn members(&self, project: &str) -> Result<Vec<Member>, Refused> {
        self.with(|list| {
            let member = |token: &Token| {
                Some(Member {
                    principal: token.principal.clone(),
                    role: *token.projects.get(project)?,
                    via: Via::Token,
                    when: BTreeMap::new(),
                    expires_ms: token.expires_ms,
                })
            };
            list.values().filter_map(member).collect()
        })
    }

    /// Changes the list, unless the project would be left to nobody: `is_held` says whether others than the holders of tokens look after it.
    pub(super) fn change(
        &self,
        project: &str,
        is_held: bool,
        now_ms: i64,
        edit: impl FnOnce(&mut Written) -> Result<(), Unchanged>,
    ) -> Result<(), Unchanged> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = written(&self.path, &bytes(&self.path)?)?;
        edit(&mut written)?;
        let mut text = serde_json::to_string_pretty(&written).unwrap_or_default();
        text.push('\n');
        let entry = |error: ConfigError| match error {
            ConfigError::Entry { problem, .. } => Unchanged::Invalid(problem),
            error => error.into(),
        };
        let list = parse(&self.path, text.as_bytes()).map_err(entry)?;
        let is_admin = |token: &Token| {
            let valid = token.expires_ms.is_none_or(|end| now_ms < end);
            valid && token.projects.get(project) == Some(&Role::Admin)
        };
        if !is_held && !list.values().any(is_admin) {
            let told = format!("{project} would have no admin any more: make somebody else one");
            return Err(Unchanged::Conflict(told));
        }
        let failed = |source| ConfigError::Write {
            path: self.path.clone(),
            source,
        };
        replace(&self.path, text.as_bytes()).map_err(failed)?;
        *read = (stamp(&self.path)?, list);
        Ok(())
    }

    /// The list as it stands. While the file is damaged nobody is let in: what it said before may have been taken back.
    fn with<T>(&self, look: impl FnOnce(&List) -> T) -> Result<T, Refused> {
        let damaged = |error: ConfigError| Refused::Unavailable {
            why: format!("the list of tokens: {error}"),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.path).map_err(damaged)?;
        if read.0 != stamp {
            let text = bytes(&self.path).map_err(damaged)?;
            *read = (stamp, parse(&self.path, &text).map_err(damaged)?);
        }
        Ok(look(&read.1))
    }
}

/// When a token ends, Unix ms.
///
/// # Errors
/// What is no time: a sentence.
pub(super) fn end_of(text: &str) -> Result<i64, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.timestamp_millis())
        .map_err(|error| format!("expires: {error}; write 2027-01-31T00:00:00Z"))
}

fn stamp(path: &Path) -> Result<Stamp, ConfigError> {
    let of = || {
        let info = std::fs::metadata(path)?;
        Ok((info.modified()?, info.len()))
    };
    of().map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Puts a text in the place of a file's, at once and with the rights that the file has.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // Of a link what it leads to.
    let path = path.canonicalize()?;
    let rights = std::fs::metadata(&path)?.permissions();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let written = || {
        let mut file = File::create(&beside)?;
        file.set_permissions(rights)?;
        file.write_all(text)?;
        file.sync_data()?;
        std::fs::rename(&beside, &path)
    };
    written().inspect_err(|_| {
        // What is left of it says nothing.
        let _ = std::fs::remove_file(&beside);
    })
}

fn written(path: &Path, text: &[u8]) -> Result<Written, ConfigError> {
    serde_json::from_slice(text).map_err(|source| ConfigError::Json {
        path: path.to_owned(),
        source,
    })
}

fn parse(path: &Path, text: &[u8]) -> Result<List, ConfigError> {
    let mut list = List::new();
    for (n, token) in (1..).zip(written(path, text)?.tokens) {
        let wrong = |problem: String| ConfigError::Entry {
            path: path.to_owned(),
            place: format!("token {n} ({:?})", token.principal),
            problem,
        };
        let digest = token.sha256.to_ascii_lowercase();
        if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            let told = "sha256 is not a SHA-256 in hex; printf %s \"$TOKEN\" | sha256sum gives it";
            return Err(wrong(told.to_owned()));
        }
        if token.principal.trim().is_empty() || token.projects.is_empty() {
            return Err(wrong("name a principal, and a role in a project".into()));
        }
        if let Some(why) = taken(&token.principal) {
            return Err(wrong(why));
        }
        for project in token.projects.keys() {
            check_name(project).map_err(|error| wrong(format!("projects: {error}")))?;
        }
        let expires_ms = token
            .expires
            .as_deref()
            .map(|text| end_of(text).map_err(wrong));
        let known = Token {
            expires_ms: expires_ms.transpose()?,
            principal: token.principal.clone(),
            projects: token.projects.clone(),
        };
        if list.insert(digest, known).is_some() {
            return Err(wrong("another entry has the same token".into()));
        }
    }
    Ok(list)
}
