//! What became of connections: how many there were, which way they went, and why some failed.

use crate::word::Word;
use crate::words;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Connections of the native HTTP engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    /// Connections made, with TLS where the URL asks for it.
    pub opened: u64,
    /// TLS handshakes among them.
    pub tls_handshakes: u64,
    /// Handshakes that resumed an earlier session.
    pub tls_resumed: u64,
    /// Whose sessions could be resumed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tls_resumption: BTreeSet<Word<TlsResumption>>,
    /// Kept connections that were given up because bytes came on them that nobody had asked for.
    pub spoiled: u64,
    /// Connections that did not go straight to the URL's host, by the way they went: a proxy, a Unix socket, an address
    /// of `http.hosts`. Passwords are masked.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, u64>,
    /// Why connections could not be made, the most frequent first; at most [`Self::MAX_FAULTS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<ConnectionFault>,
}

words! {
    /// Whose TLS sessions a new connection may resume.
    pub TlsResumption {
        /// Those of the same VU, as in a browser.
        PerVu = "per-vu",
        /// Those of any VU on the same worker thread.
        Shared = "shared",
        /// Nobody's: each connection makes a full handshake, as in k6.
        Never = "never",
    }
}

/// A reason why connections could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionFault {
    /// The tag `error_code` of the requests.
    pub error_code: String,
    /// The reason in words.
    pub reason: String,
    /// How often.
    pub count: u64,
}

impl Connections {
    /// The most reasons that are kept apart; what is more is added up by error code.
    pub const MAX_FAULTS: usize = 16;
    /// The most ways that are kept apart.
    pub const MAX_ROUTES: usize = 16;
    const OTHER: &str = "other reasons";

    /// Counts a failure.
    pub fn fault(&mut self, error_code: &str, reason: &str, count: u64) {
        let full = self.faults.len() >= Self::MAX_FAULTS;
        let found = |faults: &[ConnectionFault], reason: &str| {
            let is = |f: &ConnectionFault| f.error_code == error_code && f.reason == reason;
            faults.iter().position(is)
        };
        let mut at = found(&self.faults, reason);
        let mut reason = reason;
        if at.is_none() && full {
            reason = Self::OTHER;
            at = found(&self.faults, reason);
        }
        match at {
            Some(at) => self.faults[at].count += count,
            None => self.faults.push(ConnectionFault {
                error_code: error_code.to_owned(),
                reason: reason.to_owned(),
                count,
            }),
        }
    }

    /// Counts a connection that went another way than straight.
    pub fn route(&mut self, way: &str, count: u64) {
        let full = self.routes.len() >= Self::MAX_ROUTES && !self.routes.contains_key(way);
        let way = if full { "other ways" } else { way };
        *self.routes.entry(way.to_owned()).or_default() += count;
    }

    /// Adds another account to this one.
    pub fn add(&mut self, other: &Self) {
        self.opened += other.opened;
        self.tls_handshakes += other.tls_handshakes;
        self.tls_resumed += other.tls_resumed;
        self.tls_resumption
            .extend(other.tls_resumption.iter().cloned());
        self.spoiled += other.spoiled;
        for (way, count) in &other.routes {
            self.route(way, *count);
        }
        for fault in &other.faults {
            self.fault(&fault.error_code, &fault.reason, fault.count);
        }
        self.faults.sort_by(|a, b| {
            (b.count, &a.error_code, &a.reason).cmp(&(a.count, &b.error_code, &b.reason))
        });
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a reader should know of failures that say more than their code, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let says_more = |fault: &&ConnectionFault| {
            ["tls", "tls_certificate", "proxy"].contains(&fault.error_code.as_str())
        };
        self.faults
            .iter()
            .filter(says_more)
            .map(|fault| {
                let ConnectionFault {
                    error_code,
                    reason,
                    count,
                } = fault;
                let times = if *count == 1 {
                    "once".to_owned()
                } else {
                    format!("{count} times")
                };
                format!("{error_code}, {times}: {reason}")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_and_ways_are_bounded_and_nothing_is_lost() {
        let mut all = Connections::default();
        for n in 0..40 {
            let mut one = Connections::default();
            one.fault("tls", &format!("reason {n}"), 2);
            one.route(&format!("way {n}"), 3);
            one.opened = 1;
            all.add(&one);
        }
        assert!(all.faults.len() <= Connections::MAX_FAULTS + 1);
        assert!(all.routes.len() <= Connections::MAX_ROUTES + 1);
        let sum: u64 = all.faults.iter().map(|f| f.count).sum();
        assert_eq!(
            (sum, all.routes.values().sum::<u64>(), all.opened),
            (80, 120, 40)
        );
        assert_eq!(all.faults[0].reason, Connections::OTHER);
    }

    #[test]
    fn warnings_say_what_a_code_does_not() {
        let mut all = Connections::default();
        all.fault("tls_certificate", "the certificate expired", 1);
        all.fault("connection_refused", "127.0.0.1:9", 5);
        assert_eq!(
            all.warnings(),
            ["tls_certificate, once: the certificate expired"]
        );
    }
}
