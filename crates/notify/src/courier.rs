//! Brings a notice to its receiver.

use crate::backoff::Backoff;
use crate::notice::Notice;
use crate::refusal::Refusal;
use crate::{aws, email, http, slack, teams, webhook};
use ::http::HeaderMap;
use bytes::Bytes;
use floodgate_records::notify::Channel;
use floodgate_store::aws::call::Calls;
use floodgate_store::aws::sdk_config;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout};

/// Where receivers may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere.
    Anywhere,
    /// Not on the machine that sends: in a function, that is where Lambda's own interface listens, and definitions come from elsewhere.
    Elsewhere,
}

impl Reach {
    /// Whether an address may be connected to.
    pub(crate) fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let local = match address {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        let own = local || address.is_loopback() || address.is_unspecified();
        self == Self::Anywhere || !own
    }
}

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
        let sent = timeout(patience, self.hand_over(channel, notice)).await;
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
                Some(url) => email::send(mail, url, notice, now, self.backoff.attempt).await,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_function_does_not_talk_to_its_own_machine() {
        let allows = |text: &str| Reach::Elsewhere.allows(text.parse().unwrap());
        for own in [
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "0.0.0.0",
            "::1",
            "::",
            "fe80::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(!allows(own), "{own}");
            assert!(Reach::Anywhere.allows(own.parse().unwrap()));
        }
        for other in ["10.0.0.1", "203.0.113.9", "2001:db8::1"] {
            assert!(allows(other), "{other}");
        }
    }
}
