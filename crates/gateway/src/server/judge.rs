//! Decisions by the policies that are in force now, and the count of them.

use crate::accounts::{Holder, Snapshot};
use crate::call::Check;
use crate::ledger::{Ledger, Report};
use crate::upstream::Upstream;
use anyhow::{Context as _, Result, bail};
use floodgate_iam::{Caller, Decision, Outcome, Policy, Request, decide};
use http::HeaderMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// After a caller's name: this call is to be refused.
const TO_BE_REFUSED: &str = "~refused";

/// What a call comes to.
pub(super) enum Verdict {
    Allowed,
    Refused {
        caller: Caller,
        check: Check,
        decision: Decision,
    },
}

impl Verdict {
    /// Why not.
    pub(super) fn refusal(&self) -> Option<String> {
        match self {
            Self::Allowed => None,
            Self::Refused {
                caller,
                check,
                decision,
            } => {
                let decision = *decision;
                Some(
                    crate::call::Denial {
                        caller,
                        check,
                        decision,
                    }
                    .message(),
                )
            }
        }
    }
}

/// What is known of the account until somebody changes it.
#[derive(Default)]
struct Cache {
    /// Raised by each change, so that what was read before it is not kept.
    turn: u64,
    snapshot: Option<Arc<Snapshot>>,
    buckets: BTreeMap<String, Arc<Vec<Policy>>>,
}

pub(super) struct Judge {
    pub(super) upstream: Upstream,
    account: String,
    cache: Mutex<Cache>,
    ledger: Mutex<Ledger>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Judge {
    pub(super) fn new(upstream: Upstream, account: &str) -> Self {
        Self {
            upstream,
            account: account.to_owned(),
            cache: Mutex::default(),
            ledger: Mutex::default(),
        }
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    /// Something of `iam` or `s3` may have been changed.
    pub(super) fn forget(&self, service: &str) {
        let mut cache = locked(&self.cache);
        cache.turn += 1;
        match service {
            "iam" => cache.snapshot = None,
            _ => cache.buckets.clear(),
        }
    }

    pub(super) fn note_unknown(&self, what: String) {
        locked(&self.ledger).unknown(what);
    }

    pub(super) async fn report(&self) -> Result<Report> {
        let snapshot = self.snapshot("eu-west-1").await?;
        Ok(locked(&self.ledger).report(&snapshot))
    }

    async fn snapshot(&self, region: &str) -> Result<Arc<Snapshot>> {
        let turn = {
            let cache = locked(&self.cache);
            if let Some(snapshot) = &cache.snapshot {
                return Ok(snapshot.clone());
            }
            cache.turn
        };
        let answer = self.upstream.authorization_details(region).await?;
        let snapshot = Arc::new(Snapshot::read(&answer)?);
        let mut cache = locked(&self.cache);
        if cache.turn == turn {
            cache.snapshot = Some(snapshot.clone());
        }
        Ok(snapshot)
    }

    /// The policy of the bucket that a resource is or lies in.
    async fn resource_policies(&self, resource: &str, region: &str) -> Result<Arc<Vec<Policy>>> {
        let Some(rest) = resource.strip_prefix("arn:aws:s3:::") else {
            return Ok(Arc::default());
        };
        let bucket = rest.split('/').next().unwrap_or_default();
        let turn = {
            let cache = locked(&self.cache);
            if let Some(policies) = cache.buckets.get(bucket) {
                return Ok(policies.clone());
            }
            cache.turn
        };
        let document = self.upstream.bucket_policy(bucket, region).await?;
        let policy = document
            .map(|document| Policy::of_resource(&document))
            .transpose();
        let policy = policy.with_context(|| format!("the policy of the bucket {bucket}"))?;
        let policies = Arc::new(policy.into_iter().collect::<Vec<_>>());
        let mut cache = locked(&self.cache);
        if cache.turn == turn {
            cache.buckets.insert(bucket.to_owned(), policies.clone());
        }
        Ok(policies)
    }

    /// Who has this access key.
    pub(super) async fn holder(&self, key: &str, region: &str) -> Result<Holder> {
        let name = key.trim_end_matches(TO_BE_REFUSED);
        let snapshot = self.snapshot(region).await?;
        let holder = snapshot.holder(name);
        holder
            .cloned()
            .with_context(|| format!("{name} is neither a role nor a managed policy"))
    }

    /// Whether all that a call needs is allowed; it is counted.
    pub(super) async fn judge(
        &self,
        key: &str,
        checks: &[Check],
        headers: &HeaderMap,
        region: &str,
    ) -> Result<Verdict> {
        let holder = self.holder(key, region).await?;
        let name = key.trim_end_matches(TO_BE_REFUSED);
        let mut fits = Vec::new();
        for check in checks {
            let outcome = self.outcome(&holder, check, headers, region).await?;
            if outcome.decision != Decision::Allowed {
                let (caller, check) = (holder.caller(), check.clone());
                let decision = outcome.decision;
                let verdict = Verdict::Refused {
                    caller,
                    check,
                    decision,
                };
                let expected = key.ends_with(TO_BE_REFUSED) || name.starts_with("refused-");
                let message = verdict.refusal().unwrap_or_default();
                locked(&self.ledger).refused(message, expected);
                return Ok(verdict);
            }
            fits.extend(outcome.fits);
        }
        locked(&self.ledger).allowed(name, &fits);
        Ok(Verdict::Allowed)
    }

    /// Whether the policy of a resource lets a service do something with it; a refusal is counted.
    pub(super) async fn judge_service(
        &self,
        service: &str,
        check: &Check,
        region: &str,
    ) -> Result<Verdict> {
        let caller = Caller::service(service.trim_end_matches(TO_BE_REFUSED));
        let policies = self.own_policies(&check.resource, region).await?;
        let mut request = Request::new(caller.clone(), &check.action, &check.resource);
        for (key, value) in &check.context {
            request = request.with(key, value);
        }
        let what = || format!("{} on {}", check.action, check.resource);
        let decision = decide(&[], &policies, &request)
            .with_context(what)?
            .decision;
        if decision == Decision::Allowed {
            locked(&self.ledger).allowed(service, &[]);
            return Ok(Verdict::Allowed);
        }
        let verdict = Verdict::Refused {
            caller,
            check: check.clone(),
            decision,
        };
        let is_of_a_test = check.resource.contains("refused-");
        let expected = service.ends_with(TO_BE_REFUSED) || is_of_a_test;
        let message = verdict.refusal().unwrap_or_default();
        locked(&self.ledger).refused(message, expected);
        Ok(verdict)
    }

    /// The policy that a role or a function has of its own: who may take the one, who may call the other.
    async fn own_policies(&self, resource: &str, region: &str) -> Result<Vec<Policy>> {
        let name = |rest: &str| {
            rest.rsplit(['/', ':'])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        if resource.starts_with("arn:aws:iam:") {
            let snapshot = self.snapshot(region).await?;
            let holder = snapshot.holder(&name(resource));
            return Ok(holder
                .and_then(|holder| holder.trust.clone())
                .into_iter()
                .collect());
        }
        let Some(function) = resource.strip_prefix("arn:aws:lambda:") else {
            bail!("no policies are known of {resource}");
        };
        let document = self
            .upstream
            .function_policy(&name(function), region)
            .await?;
        let policy = document.map(|document| Policy::of_resource(&document));
        let policy = policy
            .transpose()
            .with_context(|| format!("the policy of {resource}"))?;
        Ok(policy.into_iter().collect())
    }

    /// The same for one permission. If there is it, it counts as used; if not, nothing was refused.
    pub(super) async fn would_allow(
        &self,
        key: &str,
        check: &Check,
        headers: &HeaderMap,
        region: &str,
    ) -> Result<bool> {
        let holder = self.holder(key, region).await?;
        let outcome = self.outcome(&holder, check, headers, region).await?;
        let allowed = outcome.decision == Decision::Allowed;
        if allowed {
            let name = key.trim_end_matches(TO_BE_REFUSED);
            locked(&self.ledger).allowed(name, &outcome.fits);
        }
        Ok(allowed)
    }

    async fn outcome(
        &self,
        holder: &Holder,
        check: &Check,
        headers: &HeaderMap,
        region: &str,
    ) -> Result<Outcome> {
        let resource_policies = self.resource_policies(&check.resource, region).await?;
        // Loopback stands for TLS, unless a proxy before it says that its client came without.
        let plain = headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto == "http");
        let secure = if plain { "false" } else { "true" };
        let mut request = Request::new(holder.caller(), &check.action, &check.resource)
            .with("aws:SecureTransport", secure)
            .with("aws:RequestedRegion", region);
        for (key, value) in &check.context {
            request = request.with(key, value);
        }
        let identity: Vec<Policy> = holder
            .policies
            .iter()
            .map(|(_, policy)| policy.clone())
            .collect();
        let what = || format!("{} on {}", check.action, check.resource);
        decide(&identity, &resource_policies, &request).with_context(what)
    }
}
