//! Which way connections go, and what they remember.

use crate::syntax::SyntaxError;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// What a definition says about proxies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyChoice {
    /// None, whatever the environment says.
    None,
    /// This one for everything.
    Url(ProxyUrl),
}

/// A proxy that speaks HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    /// Name or address in lower case, an IPv6 address without its brackets.
    pub host: String,
    /// Its port; 80 unless given.
    pub port: u16,
    /// User and password, decoded.
    pub credentials: Option<(String, String)>,
}

const PROXY: &str = "http://[USER:PASSWORD@]HOST[:PORT]";

impl ProxyUrl {
    /// Reads `http://[USER:PASSWORD@]HOST[:PORT]`.
    ///
    /// # Errors
    /// What is wrong, without the text: there may be a password in it.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let fail = |problem: String| SyntaxError::new(0, problem).allowed(PROXY);
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(fail("the proxy's URL has no scheme".to_owned()));
        };
        if !scheme.eq_ignore_ascii_case("http") {
            let known = scheme.len() <= 16 && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
            let scheme = if known { scheme } else { "its scheme" };
            return Err(fail(format!("{scheme} is not a supported proxy scheme")));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let (host, port) = host_and_port(place).ok_or_else(|| {
            fail("the proxy's URL has no valid host and port, or more than these".to_owned())
        })?;
        let credentials = credentials.map(|text| {
            let (user, password) = text.split_once(':').unwrap_or((text, ""));
            (decoded(user), decoded(password))
        });
        let odd = |text: &str| text.chars().any(char::is_control);
        if credentials.iter().any(|(u, p)| odd(u) || odd(p)) {
            return Err(fail(
                "the proxy's user or password has a control character".to_owned(),
            ));
        }
        Ok(Self {
            host,
            port: port.unwrap_or(80),
            credentials,
        })
    }
}

impl fmt::Display for ProxyUrl {
    /// Without the credentials.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        let masked = if self.credentials.is_some() {
            "***@"
        } else {
            ""
        };
        if host.contains(':') {
            write!(out, "http://{masked}[{host}]:{port}")
        } else {
            write!(out, "http://{masked}{host}:{port}")
        }
    }
}

impl fmt::Debug for ProxyUrl {
    /// Without the credentials.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// An address in place of what a name would resolve to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOverride {
    /// A name or address in lower case; with `*.` in front of it, all names below it.
    pub host: String,
    /// Only this port of the URL.
    pub port: Option<u16>,
    /// Where to connect.
    pub address: IpAddr,
    /// Which port to connect to; the URL's unless given.
    pub to_port: Option<u16>,
}

impl HostOverride {
    /// Reads a key and a value of `hosts`.
    ///
    /// # Errors
    /// Which of the two is wrong.
    pub fn parse(from: &str, to: &str) -> Result<Self, SyntaxError> {
        let (host, port) = Self::name(from)?;
        let (address, to_port) = Self::address(to)?;
        Ok(Self {
            host,
            port,
            address,
            to_port,
        })
    }

    /// Reads a key: `HOST`, `HOST:PORT`, `*.HOST`.
    ///
    /// # Errors
    /// It is none.
    pub fn name(text: &str) -> Result<(String, Option<u16>), SyntaxError> {
        let plain = text.strip_prefix("*.").unwrap_or(text);
        match host_and_port(plain) {
            Some((host, port)) if text.len() != plain.len() => Ok((format!("*.{host}"), port)),
            Some(found) => Ok(found),
            None => Err(SyntaxError::new(0, "the name of a host is not valid")
                .allowed("HOST, HOST:PORT or *.HOST")),
        }
    }

    /// Reads a value: `ADDRESS` or `ADDRESS:PORT`.
    ///
    /// # Errors
    /// It is none.
    pub fn address(text: &str) -> Result<(IpAddr, Option<u16>), SyntaxError> {
        if let Ok(both) = text.parse::<SocketAddr>() {
            return Ok((both.ip(), Some(both.port())));
        }
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        match bare.unwrap_or(text).parse() {
            Ok(address) => Ok((address, None)),
            Err(_) => Err(SyntaxError::new(0, "it is not an IP address")
                .allowed("an address such as 10.0.0.7, 10.0.0.7:8443, ::1 or [::1]:8443")),
        }
    }

    /// Whether it speaks of a URL's host and port.
    pub fn is_for(&self, host: &str, port: u16) -> bool {
        let named = match self.host.strip_prefix("*.") {
            Some(above) => host
                .strip_suffix(above)
                .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            None => self.host == host,
        };
        named && self.port.is_none_or(|own| own == port)
    }

    /// Of several the one with the greatest of these: a name over a wildcard, a longer one over a shorter, with a port over
    /// without.
    pub fn precedence(&self) -> (bool, usize, bool) {
        (
            !self.host.starts_with("*."),
            self.host.len(),
            self.port.is_some(),
        )
    }
}

/// The longest path that a Unix socket can have, in bytes (`sun_path` less its NUL).
pub const MAX_SOCKET_PATH: usize = 107;

/// `HOST[:PORT]` and nothing more, IPv6 addresses in brackets or, without a port, bare.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address.to_string(), None));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, Some(port.parse().ok().filter(|port| *port > 0)?))
        }
        _ => (text, None),
    };
    if let Some(address) = host.strip_prefix('[') {
        let address: std::net::Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some((address.to_string(), port));
    }
    let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let named = !host.is_empty() && host.len() <= 253 && host.bytes().all(valid);
    named.then(|| (host.to_ascii_lowercase(), port))
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_taken_apart_and_never_shown_whole() {
        let url = ProxyUrl::parse("HTTP://ann:p%40ss:w@Proxy.Example:3128/").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("proxy.example", 3128));
        assert_eq!(
            url.credentials.clone().unwrap(),
            ("ann".into(), "p@ss:w".into())
        );
        assert_eq!(url.to_string(), "http://***@proxy.example:3128");
        assert_eq!(format!("{url:?}"), "http://***@proxy.example:3128");
        assert_eq!(
            ProxyUrl::parse("http://[::1]").unwrap().to_string(),
            "http://[::1]:80"
        );
        for text in [
            "proxy:1",
            "socks5://s3cret@h:1",
            "https://h:1",
            "http://",
            "http://h:0",
            "http://h:x",
            "http://h:1/path",
            "http://h:99999",
            "http://s3cret@",
            "http://a b",
            "http://a%00:s3cret@h",
        ] {
            let error = ProxyUrl::parse(text).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn the_narrowest_override_wins() {
        let of = |from: &str| HostOverride::parse(from, "10.0.0.1").unwrap();
        assert!(of("A.test").is_for("a.test", 80) && !of("a.test").is_for("b.a.test", 80));
        assert!(of("a.test:81").is_for("a.test", 81) && !of("a.test:81").is_for("a.test", 80));
        assert!(of("*.test").is_for("b.a.test", 80) && !of("*.test").is_for("test", 80));
        assert!(!of("*.test").is_for("atest", 80) && of("::1").is_for("::1", 80));
        assert!(of("a.test:80").precedence() > of("a.test").precedence());
        assert!(of("a.test").precedence() > of("*.long.a.test").precedence());
        for (to, address, port) in [
            ("10.0.0.1:8443", "10.0.0.1", Some(8443)),
            ("[::1]:1", "::1", Some(1)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
        ] {
            let (found, to_port) = HostOverride::address(to).unwrap();
            assert_eq!((found.to_string(), to_port), (address.into(), port));
        }
        for to in ["localhost", "10.0.0.1:x", "10.0.0", ""] {
            assert!(HostOverride::address(to).is_err(), "{to}");
        }
        for from in ["", "a b", "http://a", "a:", "*.", "a/b"] {
            assert!(HostOverride::name(from).is_err(), "{from}");
        }
    }
}
