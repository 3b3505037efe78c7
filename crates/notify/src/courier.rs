//! Brings a notice to its receiver.

use crate::backoff::Backoff;
use crate::notice::Notice;
use crate::refusal::Refusal;
use crate::{aws, email, http, slack, teams, webhook};
use ::http::HeaderMap;
use bytes::Bytes;
use floodgate_records::notify::Channel;
use floodgate_records::reach::Reach;
use floodgate_store::aws::call::Calls;
use floodgate_store::aws::sdk_config;
use std::time::{Duration, SystemTime};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout};

/// With whose credentials AWS is called.
pub enum Account {
    /// Those of the environment or the profile; they are looked for when they are needed.
    OfEnvironment,
    /// These.
    Given(Calls),
}

/// Brings notices to their receivers.
pub struct Courier {
    account: Account,
    found: OnceCell<Calls>,
    reach: Reach,
    backoff: Backoff,
}

impl Courier {
    /// With these credentials for AWS, to receivers that may be there, as patient as that.
    pub fn new(account: Account, reach: Reach, backoff: Backoff) -> Self {
        Self {
            account,
            found: OnceCell::new(),
            reach,
            backoff,
        }
    }

    /// Tries once.
    ///
    /// # Errors
    /// [`Refusal`], as it may be shown: it has neither a secret nor an address that is one.
    pub async fn once(&self, channel: &Channel, notice: &Notice) -> Result<(), Refusal> {
        let patience = self.backoff.attempt;
        // boxed: its future is large
        let sent = timeout(patience, Box::pin(self.hand_over(channel, notice))).await;
        let late = || Refusal::again(format!("did not answer within {patience:?}"));
        let sent = sent.unwrap_or_else(|_| Err(late()));
        sent.map_err(|refusal| refusal.without(&channel.secrets()))
    }

    /// Tries until it is taken, refused for good, or tried for as long as the patience lasts; the tries, and why it is not taken.
    pub async fn patiently(
        &self,
        channel: &Channel,
        notice: &Notice,
    ) -> (u32, Result<(), Refusal>) {
        let begun = Instant::now();
        let mut tries = 0;
        loop {
            let tried = self.once(channel, notice).await;
            tries += 1;
            let Err(refusal) = tried else {
                return (tries, Ok(()));
            };
            let pause = self.backoff.pause(tries, fastrand::f64(), refusal.after());
            if refusal.is_final() || self.backoff.is_over(begun.elapsed() + pause) {
                return (tries, Err(refusal));
            }
            sleep(pause).await;
        }
    }

    async fn hand_over(&self, channel: &Channel, notice: &Notice) -> Result<(), Refusal> {
        let now = SystemTime::now();
        match channel {
            Channel::Webhook { url, secrets } => {
                let since = now.duration_since(SystemTime::UNIX_EPOCH);
                let now_s = since.map_or(0, |since| since.as_secs() as i64);
                webhook::send(url, secrets, notice, now_s, self.reach).await
            }
            Channel::Slack(url) => self.post(url, &slack::body(&notice.message)).await,
            Channel::Teams(url) => self.post(url, &teams::body(&notice.message)).await,
            Channel::Email(mail) => match &mail.smtp {
                Some(url) => {
                    let (patience, reach) = (self.backoff.attempt, self.reach);
                    email::send(mail, url, notice, now, patience, reach).await
                }
                None => aws::send_mail(self.calls().await, mail, notice).await,
            },
            Channel::Sns(topic) => aws::publish(self.calls().await, topic, notice).await,
            Channel::EventBridge(bus) => aws::put_event(self.calls().await, bus, notice).await,
        }
    }

    async fn post(&self, url: &str, body: &serde_json::Value) -> Result<(), Refusal> {
        let body = Bytes::from(body.to_string());
        http::post(url, HeaderMap::new(), body, self.reach).await
    }

    async fn calls(&self) -> &Calls {
        match &self.account {
            Account::Given(calls) => calls,
            Account::OfEnvironment => {
                let found = || async { Calls::new(&sdk_config().await) };
                self.found.get_or_init(found).await
            }
        }
    }

    /// How long a notice that was not taken rests.
    pub fn pause(&self, failures: u32, refusal: &Refusal) -> Duration {
        self.backoff
            .pause(failures, fastrand::f64(), refusal.after())
    }
}
