//! What load may be sent to: what a project is bounded to, and what nobody may load from the cloud.
//!
//! A name says nothing certain of where a connection goes, and an address nothing of whom it belongs to. So both are looked at: a
//! name before it is resolved, and each address before it is connected to.

mod network;

pub use network::{BadNetwork, Network};

use network::complement;
use std::fmt;
use std::net::IpAddr;

/// Addresses at which AWS keeps services of a machine's own, credentials of its role among them, and what leads to them by another
/// notation: IPv4's link-local block (169.254.169.254, 169.254.170.2), IPv6's, the unique-local block of AWS's services
/// (fd00:ec2::254), and the first of these within the prefixes of NAT64 (RFC 6052) and 6to4 (RFC 3056).
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html>,
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>
const OWN: [Network; 5] = [
    Network::v4([169, 254, 0, 0], 16),
    Network::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    Network::v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32),
    Network::v6([0x64, 0xff9b, 0, 0, 0, 0, 0xa9fe, 0], 112),
    Network::v6([0x2002, 0xa9fe, 0, 0, 0, 0, 0, 0], 32),
];

/// What load may be sent to. The default: anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// The project's own list; `None` without one.
    listed: Option<Vec<Entry>>,
    in_cloud: bool,
}

/// One target of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// This name.
    Host(String),
    /// Every name below this one.
    Below(String),
    /// The addresses of a network.
    Network(Network),
}

/// What is known of a host before its name is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Its name is listed: any address of it will do that is not a machine's own.
    Listed,
    /// Its addresses decide.
    ByAddress,
}

/// An entry of a list that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a target: give a host (shop.example.com), all names below one (*.example.com) or a network (10.0.0.0/8)"
)]
pub struct BadTarget(pub String);

/// A target that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// A machine's own address.
    #[error(
        "{0} is an address of the generator's own machine or of its credentials, which nothing may load"
    )]
    Own(String),
    /// A host that no entry of the list fits.
    #[error(
        "{what} is not among the targets of the project ({listed}); add it to allowed_targets of the project, or send the load elsewhere"
    )]
    Unlisted {
        /// The host, and its address as far as it is known.
        what: String,
        /// The list.
        listed: String,
    },
}

impl Targets {
    /// In the cloud: never a machine's own addresses, and only what is listed if there is a list.
    ///
    /// # Errors
    /// The first entry that is none.
    pub fn in_cloud(listed: Option<&[String]>) -> Result<Self, BadTarget> {
        let parse = |entries: &[String]| entries.iter().map(|text| Entry::parse(text)).collect();
        Ok(Self {
            listed: listed.map(parse).transpose()?,
            in_cloud: true,
        })
    }

    /// Whether anything may be loaded.
    pub fn is_anything(&self) -> bool {
        self.listed.is_none() && !self.in_cloud
    }

    /// Whether there is a list of which names are part: nobody can tell them from the addresses of a connection.
    pub fn names_hosts(&self) -> bool {
        let listed = self.listed.iter().flatten();
        listed
            .into_iter()
            .any(|entry| !matches!(entry, Entry::Network(_)))
    }

    /// Whether there is a list.
    pub fn is_listed(&self) -> bool {
        self.listed.is_some()
    }

    /// Judges a URL's host, which is a name or an address.
    ///
    /// # Errors
    /// What is certain not to be allowed, whatever the name resolves to.
    pub fn host(&self, host: &str) -> Result<Host, Forbidden> {
        let host = plain(host);
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.address(address).map(|()| Host::ByAddress);
        }
        let Some(listed) = &self.listed else {
            return Ok(Host::ByAddress);
        };
        if listed.iter().any(|entry| entry.has_name(&host)) {
            return Ok(Host::Listed);
        }
        match listed
            .iter()
            .any(|entry| matches!(entry, Entry::Network(_)))
        {
            true => Ok(Host::ByAddress),
            false => Err(self.unlisted(host)),
        }
    }

    /// Judges an address that no listed name vouches for.
    ///
    /// # Errors
    /// One that is not allowed.
    pub fn address(&self, address: IpAddr) -> Result<(), Forbidden> {
        self.own(address)?;
        let Some(listed) = &self.listed else {
            return Ok(());
        };
        let fits = |entry: &Entry| matches!(entry, Entry::Network(network) if network.has(address));
        match listed.iter().any(fits) {
            true => Ok(()),
            false => Err(self.unlisted(address.to_string())),
        }
    }

    /// Judges what is not a host with an address to look at, or one that only others resolve: it may be loaded where there is no list.
    ///
    /// # Errors
    /// It may not.
    pub fn elsewhere(&self, what: &str) -> Result<(), Forbidden> {
        match self.listed {
            Some(_) => Err(self.unlisted(what.to_owned())),
            None => Ok(()),
        }
    }

    /// Judges an address that a host's name resolves to.
    ///
    /// # Errors
    /// One that is not allowed.
    pub fn resolved(&self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        self.own(address)?;
        match self.host(host)? {
            Host::Listed => Ok(()),
            Host::ByAddress => self.address(address).map_err(|forbidden| match forbidden {
                Forbidden::Unlisted { what, listed } => Forbidden::Unlisted {
                    what: format!("{} ({what})", plain(host)),
                    listed,
                },
                own => own,
            }),
        }
    }

    /// All networks that may not be loaded, as few as there can be: what is given to a tool that refuses addresses. Names that are
    /// listed are no part of it: see [`Self::names_hosts`].
    pub fn refused(&self) -> Vec<Network> {
        let own = self.in_cloud.then_some(OWN).into_iter().flatten();
        let networks = self
            .listed
            .iter()
            .flatten()
            .filter_map(|entry| match entry {
                Entry::Network(network) => Some(*network),
                Entry::Host(_) | Entry::Below(_) => None,
            });
        let others = match &self.listed {
            Some(_) if !self.names_hosts() => complement(&networks.collect::<Vec<_>>()),
            _ => Vec::new(),
        };
        own.chain(others).collect()
    }

    fn own(&self, address: IpAddr) -> Result<(), Forbidden> {
        match self.in_cloud && OWN.iter().any(|network| network.has(address)) {
            true => Err(Forbidden::Own(address.to_string())),
            false => Ok(()),
        }
    }

    fn unlisted(&self, what: String) -> Forbidden {
        let listed = self.listed.iter().flatten().map(ToString::to_string);
        let listed = listed.collect::<Vec<_>>().join(", ");
        let listed = if listed.is_empty() {
            "none".to_owned()
        } else {
            listed
        };
        Forbidden::Unlisted { what, listed }
    }
}

/// A host as names are compared: in lower case, without the dot of the root and the brackets of an address.
fn plain(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host = bare.unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

impl Entry {
    fn parse(text: &str) -> Result<Self, BadTarget> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let below = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
        let name = plain(below.unwrap_or(text));
        let part = |part: &str| {
            let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
            (1..=63).contains(&part.len()) && part.bytes().all(plain)
        };
        // What ends in a number is an address, or was meant to be one.
        let is_name = name.split('.').all(part)
            && name.len() <= 253
            && !name
                .rsplit('.')
                .next()
                .is_some_and(|last| last.bytes().all(|c| c.is_ascii_digit()));
        match (is_name, below) {
            (false, _) => Err(BadTarget(text.to_owned())),
            (true, Some(_)) => Ok(Self::Below(name)),
            (true, None) => Ok(Self::Host(name)),
        }
    }

    fn has_name(&self, host: &str) -> bool {
        match self {
            Self::Host(name) => name == host,
            Self::Below(above) => host
                .strip_suffix(above.as_str())
                .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            Self::Network(_) => false,
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
