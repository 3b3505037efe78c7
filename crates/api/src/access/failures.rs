//! How often an address may bring a token that lets nobody in.
//!
//! Tokens are long and random, so that nobody guesses one; but each that is wrong costs work here, and may cost some at an issuer. Who
//! comes from another address is never held up by it.

use super::limit::Limits;
use axum::extract::{ConnectInfo, Request};
use std::net::{IpAddr, SocketAddr};

/// Failures a second in the long run, and at once.
const PER_S: f64 = 1.0;
const AT_ONCE: f64 = 20.0;
/// What proxies say of whom they ask for.
const FORWARDED: &str = "x-forwarded-for";

/// The address of whoever asks, where something in front says it that can be relied on: an extension of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

#[derive(Debug)]
pub(super) struct Failures {
    limits: Limits,
    /// Proxies in front, each of which adds whom it asks for.
    proxies: usize,
}

impl Failures {
    pub(super) fn new(proxies: usize) -> Self {
        Self {
            limits: Limits::new(PER_S, AT_ONCE),
            proxies,
        }
    }

    /// Seconds until somebody from there may try again, if there were too many failures.
    pub(super) fn wait_s(&self, from: Option<&str>, now_ms: i64) -> Option<u64> {
        self.limits.wait_s(from?, now_ms)
    }

    /// One more.
    pub(super) fn note(&self, from: Option<&str>, now_ms: i64) {
        if let Some(from) = from {
            // Whoever has none left is told at the next attempt.
            let _ = self.limits.take(from, now_ms);
        }
    }

    /// Where a request comes from; `None` where nobody knows.
    pub(super) fn source(&self, request: &Request) -> Option<String> {
        let said = request.extensions().get::<ClientAddress>();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = said.map(|said| said.0).or(peer.map(|peer| peer.0.ip()))?;
        Some(network(self.forwarded(request).unwrap_or(peer)))
    }

    /// What the outermost of the proxies that are known to be there has added. What comes before it anybody may have sent.
    fn forwarded(&self, request: &Request) -> Option<IpAddr> {
        let back = self.proxies.checked_sub(1)?;
        let all = request.headers().get_all(FORWARDED);
        let all: Vec<_> = all.iter().filter_map(|line| line.to_str().ok()).collect();
        let all = all.join(",");
        all.rsplit(',').nth(back)?.trim().parse().ok()
    }
}

/// An IPv4 address, or the part of an IPv6 address that a network is given: who has one has 2^64.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn source(proxies: usize, forwarded: &[&str]) -> String {
        let mut request = Request::builder();
        for line in forwarded {
            request = request.header(FORWARDED, *line);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer: SocketAddr = "192.0.2.1:4000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        Failures::new(proxies).source(&request).unwrap()
    }

    #[test]
    fn what_a_proxy_says_counts_only_where_one_is_known_to_be() {
        let sent = ["198.51.100.7, 203.0.113.9"];
        assert_eq!(source(0, &sent), "192.0.2.1");
        assert_eq!(source(1, &sent), "203.0.113.9");
        assert_eq!(source(2, &sent), "198.51.100.7");
        assert_eq!(source(2, &["198.51.100.7", "203.0.113.9"]), "198.51.100.7");
        // Fewer than there should be, or nonsense: then the peer's.
        assert_eq!(source(3, &sent), "192.0.2.1");
        assert_eq!(source(1, &[]), "192.0.2.1");
        assert_eq!(source(1, &["unknown"]), "192.0.2.1");
    }

    #[test]
    fn a_network_of_ipv6_is_one_and_ipv4_is_ipv4_in_any_notation() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
