//! The keys of an issuer, as they were read last.
//!
//! Nobody waits for an issuer whose key is known: keys that have become old are read again beside. Whoever brings a key that is not
//! known waits, together with others who do, and not for long.

use super::error::Refused;
use super::jwks::Jwks;
use super::jwt::Jwt;
use async_trait::async_trait;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long keys are taken as they were read, in ms.
const FRESH_MS: i64 = 15 * 60_000;
/// How long they are taken if they cannot be read again.
const STALE_MS: i64 = 24 * 3_600_000;
/// Between two attempts to read them, so that tokens with invented key ids cause no load elsewhere.
const PAUSE_MS: i64 = 30_000;
/// How long an issuer may take to give its keys.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gets the keys of an issuer.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// What lies at a URL.
    ///
    /// # Errors
    /// Why it cannot be had, a sentence.
    async fn get(&self, url: &str) -> Result<Vec<u8>, String>;
}

/// Keys, and when they were read.
#[derive(Clone, Debug, Default)]
struct Cached {
    keys: Arc<Jwks>,
    at_ms: Option<i64>,
    tried_ms: Option<i64>,
}

impl Cached {
    fn is_fresh(&self, now_ms: i64) -> bool {
        age_ms(self.at_ms, now_ms).is_some_and(|age| age < FRESH_MS)
    }

    fn is_believed(&self, now_ms: i64) -> bool {
        age_ms(self.at_ms, now_ms).is_some_and(|age| age <= STALE_MS)
    }

    fn is_paused(&self, now_ms: i64) -> bool {
        age_ms(self.tried_ms, now_ms).is_some_and(|age| age < PAUSE_MS)
    }
}

fn age_ms(at: Option<i64>, now_ms: i64) -> Option<i64> {
    at.map(|at| now_ms.saturating_sub(at))
}

/// Where an issuer's keys lie, and what is known of them.
pub(super) struct Keys {
    /// The issuer's name, for messages.
    name: String,
    /// A URL, or a file.
    from: String,
    fetch: Arc<dyn Fetch>,
    cached: Mutex<Cached>,
    /// Held by whoever reads them.
    reading: tokio::sync::Mutex<()>,
}

impl Keys {
    pub(super) fn new(name: &str, from: &str, fetch: Arc<dyn Fetch>) -> Self {
        Self {
            name: name.to_owned(),
            from: from.to_owned(),
            fetch,
            cached: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// Whether one of the issuer's keys signed this token.
    pub(super) async fn signed(
        self: &Arc<Self>,
        jwt: &Jwt<'_>,
        now_ms: i64,
    ) -> Result<bool, Refused> {
        let kid = jwt.kid.as_deref();
        let mut known = self.cached().clone();
        if known.is_believed(now_ms) && known.keys.has(jwt.algorithm, kid) {
            if !known.is_fresh(now_ms) && !known.is_paused(now_ms) {
                let keys = Arc::clone(self);
                // What came of it is seen by whoever asks next.
                tokio::spawn(async move { keys.read_again(now_ms, |_| false).await });
            }
        } else {
            let has = |keys: &Jwks| keys.has(jwt.algorithm, kid);
            self.read_again(now_ms, has).await?;
            known = self.cached().clone();
        }
        if !known.is_believed(now_ms) {
            return Err(self.unavailable("they could not be read a moment ago"));
        }
        let (message, signature) = (jwt.signed, &jwt.signature);
        Ok(known.keys.signed(jwt.algorithm, kid, message, signature))
    }

    /// Reads them, unless somebody has a moment ago or `will_do` says of what was read meanwhile that it will. Of many at once one does.
    async fn read_again(
        self: &Arc<Self>,
        now_ms: i64,
        will_do: impl Fn(&Jwks) -> bool,
    ) -> Result<(), Refused> {
        let _turn = self.reading.lock().await;
        {
            let mut cached = self.cached();
            if cached.is_paused(now_ms) || cached.is_fresh(now_ms) && will_do(&cached.keys) {
                return Ok(());
            }
            cached.tried_ms = Some(now_ms);
        }
        // Whoever asked may have gone before the answer comes; it is for the others, too.
        let keys = Arc::clone(self);
        let read = tokio::spawn(async move { keys.read(now_ms).await });
        read.await.unwrap_or(Ok(()))
    }

    async fn read(&self, now_ms: i64) -> Result<(), Refused> {
        let read = tokio::time::timeout(PATIENCE, self.load()).await;
        let late = |_| Err(format!("no answer within {} s", PATIENCE.as_secs()));
        let read = read.unwrap_or_else(late);
        let mut cached = self.cached();
        match read {
            Ok(keys) => {
                cached.keys = Arc::new(keys);
                cached.at_ms = Some(now_ms);
                Ok(())
            }
            Err(why) if !cached.is_believed(now_ms) => Err(self.unavailable(&why)),
            Err(_) => Ok(()),
        }
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, why: &str) -> Refused {
        let name = &self.name;
        Refused::Unavailable {
            why: format!("the keys of {name}: {why}"),
        }
    }

    async fn load(&self) -> Result<Jwks, String> {
        let json = match self.from.contains("://") {
            true => self.fetch.get(&self.from).await?,
            false => std::fs::read(PathBuf::from(&self.from)).map_err(|e| e.to_string())?,
        };
        Jwks::parse(&json).map_err(|error| error.to_string())
    }
}
