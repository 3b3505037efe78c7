//! The audit trail as a chain: every entry holds the hash of the one before it, so that one that is removed, changed or moved shows.
//!
//! An entry is a line of JSON: what it says, then its number `seq`, the hash `prev` of the entry before, and its own `hash`, which is the
//! SHA-256 of all bytes of the line before the comma that leads to it. The first entry's `prev` is the SHA-256 of a line that names the
//! project, and of the lines that stood in the trail before there was a chain. The newest entry's number and hash, the [`Head`], are kept
//! apart from the trail: without them one that was cut off at its end would be whole.
//!
//! A chain proves that nobody changed the trail who could not also write the head. A head that is kept elsewhere proves more.

mod finding;

pub use finding::Finding;

use crate::StoreError;
use floodgate_records::audit::AuditEntry;
use floodgate_records::printable::{hex, printable_json};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What stands before the hash at the end of a line.
const LEAD: &str = ",\"hash\":\"";
/// Digits of a SHA-256.
const DIGITS: usize = 64;

/// The newest entry of a trail, written as `SEQ:HASH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number, from 1.
    pub seq: u64,
    /// Its hash, in lower-case hex.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':');
        let digits = |hash: &str| hash.len() == DIGITS && hash.bytes().all(is_digit);
        parts
            .and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)))
            .filter(|(_, hash)| digits(hash))
            .map(|(seq, hash)| Self {
                seq,
                hash: hash.to_owned(),
            })
            .ok_or_else(|| format!("{text:?} is not a valid head; write SEQ:HASH, as floodgate audit verify prints it"))
    }
}

/// A trail as it lies there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLog {
    /// Lines of JSON.
    pub bytes: Vec<u8>,
    /// The newest entry, as far as it was kept.
    pub head: Option<Head>,
}

impl AuditLog {
    /// Its entries, the oldest first; `of` is whose trail it is to errors.
    ///
    /// # Errors
    /// A line that is not an entry.
    pub fn entries(&self, of: &str) -> Result<Vec<AuditEntry>, StoreError> {
        let lines = self.lines().enumerate();
        lines.map(|(i, line)| parse(of, line, || i + 1)).collect()
    }

    /// Of the entries without the `skip` newest the newest, at most `limit`, the newest first. Those that are passed over are not read.
    ///
    /// # Errors
    /// As for [`Self::entries`].
    pub fn newest(
        &self,
        of: &str,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let newest = self.lines().rev().enumerate().skip(skip).take(limit);
        newest
            .map(|(i, line)| parse(of, line, || self.lines().count() - i))
            .collect()
    }

    fn lines(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let lines = self.bytes.split(|&byte| byte == b'\n');
        lines.filter(|line| !line.is_empty())
    }
}

fn parse(of: &str, text: &[u8], line: impl FnOnce() -> usize) -> Result<AuditEntry, StoreError> {
    serde_json::from_slice(text).map_err(|error| {
        let problem = format!("line {}: {error}", line());
        StoreError::corrupt(format!("the audit trail of {of}"), problem).because(error)
    })
}

/// What was found in a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Entries in the chain.
    pub chained: u64,
    /// Entries from before there was a chain: the chain's beginning covers them.
    pub before: u64,
    /// The newest entry of the chain.
    pub head: Option<Head>,
    /// What is wrong with it; nothing if it is whole.
    pub findings: Vec<Finding>,
}

/// What a line says of its place.
#[derive(Deserialize)]
struct Place {
    seq: u64,
    prev: String,
}

struct Link {
    line: usize,
    seq: u64,
    prev: String,
    hash: String,
    is_own: bool,
}

enum Line {
    Chained(Link),
    /// An entry without a place in the chain.
    Unchained,
    Unreadable,
}

/// The line of an entry that follows another one, without its line break, and the head that it becomes.
///
/// # Errors
/// An entry that cannot be written as JSON.
pub fn seal(entry: &AuditEntry, prev: &Head) -> serde_json::Result<(String, Head)> {
    // Shown as it is stored, it says nothing that a terminal would obey.
    let json = serde_json::to_string(entry)?;
    let json = printable_json(&json);
    let (seq, open) = (prev.seq + 1, json.strip_suffix('}').unwrap_or(&json));
    let body = format!("{open},\"seq\":{seq},\"prev\":\"{}\"", prev.hash);
    let hash = hash_of([body.as_bytes()]);
    let line = format!("{body}{LEAD}{hash}\"}}");
    Ok((line, Head { seq, hash }))
}

/// What the first entry of a project's chain follows. `before` are the lines that stand in the trail already.
pub fn beginning(project: &str, before: &[u8]) -> Head {
    let name = format!("floodgate audit trail of {project}\n");
    Head {
        seq: 0,
        hash: hash_of([name.as_bytes(), before]),
    }
}

/// The last entry of the chain in these bytes, which may begin in the middle of a line.
pub fn last(bytes: &[u8]) -> Option<Head> {
    let mut lines = bytes.rsplit(|&byte| byte == b'\n');
    lines.find_map(|line| match read(0, line) {
        Line::Chained(Link { seq, hash, .. }) => Some(Head { seq, hash }),
        _ => None,
    })
}

/// Looks through a trail. `kept` are heads that somebody noted elsewhere: the trail must still have these entries.
pub fn verify(project: &str, log: &AuditLog, kept: &[Head]) -> Verified {
    let mut found = Verified {
        chained: 0,
        before: 0,
        head: None,
        findings: Vec::new(),
    };
    let mut links: Vec<Link> = Vec::new();
    let mut covered = 0;
    for (line, bytes) in (1..).zip(log.bytes.split_inclusive(|&byte| byte == b'\n')) {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if !text.is_empty() {
            match read(line, text) {
                Line::Chained(link) => links.push(link),
                Line::Unchained if links.is_empty() => found.before += 1,
                Line::Unchained => found.findings.push(Finding::Unchained { line }),
                Line::Unreadable => found.findings.push(Finding::Unreadable { line }),
            }
        }
        if links.is_empty() {
            covered += bytes.len();
        }
    }
    found.chained = links.len() as u64;
    let begin = beginning(project, &log.bytes[..covered]);
    let hashes = in_order(&links, &mut found.findings);
    linked(&links, &hashes, &begin, &mut found.findings);
    let heads = log.head.iter().chain(kept);
    match hashes.last_key_value() {
        Some((&seq, hash)) => {
            found.head = Some(Head {
                seq,
                hash: (*hash).to_owned(),
            });
            if log.head.is_none() {
                found.findings.push(Finding::NoHead);
            }
        }
        None => found.head = None,
    }
    ends_at(heads, &hashes, log.head.as_ref(), &mut found.findings);
    found
}

/// The hashes by number, and what is not where it should be.
fn in_order<'a>(links: &'a [Link], findings: &mut Vec<Finding>) -> BTreeMap<u64, &'a str> {
    let mut hashes = BTreeMap::new();
    let mut newest = 0;
    for link in links {
        let (seq, line) = (link.seq, link.line);
        if !link.is_own {
            findings.push(Finding::Changed { seq, line });
        }
        if hashes.insert(seq, link.hash.as_str()).is_some() {
            findings.push(Finding::Twice { seq, line });
        } else if seq < newest {
            findings.push(Finding::Moved { seq, line });
        }
        newest = newest.max(seq);
    }
    let mut expected = 1;
    for &seq in hashes.keys() {
        if seq > expected {
            findings.push(Finding::Removed {
                first: expected,
                last: seq - 1,
            });
        }
        expected = seq + 1;
    }
    hashes
}

/// Whether each entry follows the one before it.
fn linked(links: &[Link], hashes: &BTreeMap<u64, &str>, begin: &Head, findings: &mut Vec<Finding>) {
    for link in links {
        let before = link.seq.saturating_sub(1);
        let expected = match before {
            0 => Some(begin.hash.as_str()),
            before => hashes.get(&before).copied(),
        };
        let follows = expected.is_none_or(|hash| hash == link.prev);
        if !follows {
            let seq = link.seq;
            findings.push(match before {
                0 => Finding::Beginning,
                _ => Finding::Unlinked { seq, before },
            });
        }
    }
}

fn ends_at<'a>(
    heads: impl Iterator<Item = &'a Head>,
    hashes: &BTreeMap<u64, &str>,
    own: Option<&Head>,
    findings: &mut Vec<Finding>,
) {
    let newest = hashes.last_key_value().map_or(0, |(&seq, _)| seq);
    for head in heads {
        match hashes.get(&head.seq) {
            Some(hash) if *hash == head.hash => {}
            Some(_) => findings.push(Finding::Rewritten { seq: head.seq }),
            None if head.seq > newest => findings.push(Finding::Truncated {
                first: newest + 1,
                last: head.seq,
            }),
            // It is missing, which has been said.
            None => {}
        }
    }
    // One may be: whoever wrote it ended before it could keep the head.
    if let Some(head) = own.filter(|head| newest > head.seq + 1) {
        findings.push(Finding::PastHead {
            head: head.seq,
            newest,
        });
    }
}

fn read(line: usize, text: &[u8]) -> Line {
    let Ok(text) = std::str::from_utf8(text) else {
        return Line::Unreadable;
    };
    if serde_json::from_str::<AuditEntry>(text).is_err() {
        return Line::Unreadable;
    }
    let Ok(Place { seq, prev }) = serde_json::from_str(text) else {
        return Line::Unchained;
    };
    let end = text.strip_suffix("\"}").and_then(|t| t.rsplit_once(LEAD));
    let (body, hash) = end.unwrap_or((text, ""));
    Line::Chained(Link {
        line,
        seq,
        prev,
        is_own: hash == hash_of([body.as_bytes()]),
        hash: hash.to_owned(),
    })
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn hash_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hex(hash.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
