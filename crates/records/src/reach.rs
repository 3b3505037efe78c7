//! What whoever sends results on may connect to.

use std::net::IpAddr;

/// Where receivers of notifications and exports may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere.
    Anywhere,
    /// Not on the machine that sends: in a function, that is where Lambda's own interface listens, and definitions come from elsewhere.
    Elsewhere,
}

impl Reach {
    /// Whether an address may be connected to.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let local = match address {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        let own = local || address.is_loopback() || address.is_unspecified();
        self == Self::Anywhere || !own
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
