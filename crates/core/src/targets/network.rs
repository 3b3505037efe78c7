//! Blocks of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses, such as `10.0.0.0/8` (RFC 4632); an address alone is a block of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The first address, at the top of 128 bits.
    pub(super) first: u128,
    /// Bits that all of its addresses share.
    prefix: u8,
    v4: bool,
}

/// What is not a block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a valid network: give an address, or the first address of a block and its prefix, such as 10.0.0.0/8"
)]
pub struct BadNetwork(pub String);

impl Network {
    pub(super) const fn v4(first: [u8; 4], prefix: u8) -> Self {
        Self {
            first: (u32::from_be_bytes(first) as u128) << 96,
            prefix,
            v4: true,
        }
    }

    pub(super) const fn v6(first: [u16; 8], prefix: u8) -> Self {
        let [a, b, c, d, e, f, g, h] = first;
        Self {
            first: Ipv6Addr::new(a, b, c, d, e, f, g, h).to_bits(),
            prefix,
            v4: false,
        }
    }

    /// Whether an address is one of it. An IPv4 address in IPv6's notation (`::ffff:10.0.0.1`) is what it stands for.
    pub fn has(&self, address: IpAddr) -> bool {
        let (bits, v4) = bits(address);
        v4 == self.v4 && (bits ^ self.first) & mask(self.prefix) == 0
    }

    fn width(&self) -> u8 {
        if self.v4 { 32 } else { 128 }
    }

    /// Whether all addresses of the other are of this one, too.
    fn covers(&self, other: &Self) -> bool {
        self.v4 == other.v4
            && self.prefix <= other.prefix
            && (self.first ^ other.first) & mask(self.prefix) == 0
    }

    /// Its lower and its upper half; `None` of one address.
    fn halves(&self) -> Option<[Self; 2]> {
        let prefix = self.prefix + 1;
        (self.prefix < self.width()).then(|| {
            let upper = self.first | 1 << (128 - u32::from(prefix));
            [self.first, upper].map(|first| Self {
                first,
                prefix,
                v4: self.v4,
            })
        })
    }

    /// Adds what of it is in none of the others, in as few blocks as there can be.
    fn without(&self, others: &[Self], rest: &mut Vec<Self>) {
        if others.iter().any(|other| other.covers(self)) {
            return;
        }
        if !others.iter().any(|other| self.covers(other)) {
            rest.push(*self);
            return;
        }
        for half in self.halves().into_iter().flatten() {
            half.without(others, rest);
        }
    }
}

/// All addresses that are in none of the networks.
pub(super) fn complement(networks: &[Network]) -> Vec<Network> {
    let mut rest = Vec::new();
    Network::v4([0; 4], 0).without(networks, &mut rest);
    Network::v6([0; 8], 0).without(networks, &mut rest);
    rest
}

/// The bits of an address from the top, and whether it is of IPv4.
fn bits(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, true),
        IpAddr::V6(address) => (address.to_bits(), false),
    }
}

const fn mask(prefix: u8) -> u128 {
    match prefix {
        0 => 0,
        prefix => u128::MAX << (128 - prefix),
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let bad = || BadNetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let (first, v4) = bits(address);
        let width: u8 = if v4 { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|p| *p <= width)
                .ok_or_else(bad)?,
            Some(_) => return Err(bad()),
        };
        // Bits past the prefix are a slip: of 10.0.0.7/8 nobody knows what was meant.
        let network = Self { first, prefix, v4 };
        (first & !mask(prefix) == 0)
            .then_some(network)
            .ok_or_else(bad)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.v4 {
            true => write!(
                f,
                "{}/{}",
                Ipv4Addr::from_bits((self.first >> 96) as u32),
                self.prefix
            ),
            false => write!(f, "{}/{}", Ipv6Addr::from_bits(self.first), self.prefix),
        }
    }
}
