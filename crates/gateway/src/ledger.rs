//! What was used and what was refused.

use crate::accounts::Snapshot;
use floodgate_iam::{Effect, Fit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A permission, as the policy of a role has it.
type Permission = (String, String, String, String);

/// Everything since the start.
#[derive(Debug, Default)]
pub struct Ledger {
    calls: u64,
    used: BTreeMap<Permission, u64>,
    refused: BTreeMap<String, u64>,
    expected: u64,
    unknown: BTreeMap<String, u64>,
}

/// The same to read, with the permissions that nobody has used.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Calls that were judged.
    pub calls: u64,
    /// Every permission of every role.
    pub permissions: Vec<Use>,
    /// Refusals that no test expects, with how often.
    pub refused: BTreeMap<String, u64>,
    /// Refusals that one does.
    pub expected: u64,
    /// Calls that the gateway does not know.
    pub unknown: BTreeMap<String, u64>,
}

/// How often a permission was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// Name of the role or the managed policy.
    pub role: String,
    /// Of the statement.
    pub sid: String,
    /// As the policy has it.
    pub action: String,
    /// As the policy has it.
    pub resource: String,
    /// How often.
    pub times: u64,
}

impl Ledger {
    /// A call that was allowed, by these statements.
    pub fn allowed(&mut self, role: &str, fits: &[Fit]) {
        self.calls += 1;
        for fit in fits.iter().filter(|fit| fit.effect == Effect::Allow) {
            let permission = (role, &*fit.sid, &*fit.action, &*fit.resource);
            let (a, b, c, d) = permission;
            let key = (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned());
            *self.used.entry(key).or_default() += 1;
        }
    }

    /// One that was not.
    pub fn refused(&mut self, message: String, expected: bool) {
        self.calls += 1;
        if expected {
            self.expected += 1;
        } else {
            *self.refused.entry(message).or_default() += 1;
        }
    }

    /// One that is not known here.
    pub fn unknown(&mut self, what: String) {
        self.calls += 1;
        *self.unknown.entry(what).or_default() += 1;
    }

    /// What came of it, for the roles that there are.
    pub fn report(&self, snapshot: &Snapshot) -> Report {
        let mut permissions = Vec::new();
        for (role, holder) in snapshot.holders() {
            for (_, policy) in &holder.policies {
                for (sid, action, resource) in policy.permissions() {
                    let [role, sid, action, resource] =
                        [role, sid, action, resource].map(str::to_owned);
                    let key = (role, sid, action, resource);
                    let times = self.used.get(&key).copied().unwrap_or_default();
                    let (role, sid, action, resource) = key;
                    permissions.push(Use {
                        role,
                        sid,
                        action,
                        resource,
                        times,
                    });
                }
            }
        }
        Report {
            calls: self.calls,
            permissions,
            refused: self.refused.clone(),
            expected: self.expected,
            unknown: self.unknown.clone(),
        }
    }
}
