//! What a connection is made to: scheme, host and port (RFC 6454).

use std::fmt;
use url::{Host, Url};

/// Scheme, host and port of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `https` rather than `http`.
    pub https: bool,
    /// Lower-case host name (IDNA-encoded) or IP address, an IPv6 address without its brackets.
    pub host: String,
    /// Port, the scheme's own if the URL has none.
    pub port: u16,
}

impl Origin {
    /// The origin of a URL; `None` if it is not one of HTTP.
    pub fn of(url: &Url) -> Option<Self> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = match url.host()? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let port = url.port_or_known_default()?;
        Some(Self { https, host, port })
    }

    /// The value of `Host` or `:authority`: the host, and the port unless it is the scheme's own (RFC 9110 §7.2).
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == if self.https { 443 } else { 80 } {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(url: &str) -> Option<Origin> {
        Origin::of(&Url::parse(url).unwrap())
    }

    #[test]
    fn an_origin_prints_as_the_url_that_it_is_of() {
        for (url, printed) in [
            ("http://EXAMPLE.com:80/x?y#z", "http://example.com"),
            ("https://example.com:443", "https://example.com"),
            ("https://us:er@example.com:8443/", "https://example.com:8443"),
            ("http://[::1]:80/", "http://[::1]"),
            ("http://[2001:db8::1]:81/", "http://[2001:db8::1]:81"),
            ("http://127.1/", "http://127.0.0.1"),
        ] {
            assert_eq!(of(url).unwrap().to_string(), printed);
        }
        assert_eq!(of("http://[::1]/").unwrap().host, "::1");
    }

    #[test]
    fn other_schemes_have_none() {
        assert_eq!(of("ftp://example.com/"), None);
        assert_eq!(of("data:text/plain,x"), None);
    }
}
