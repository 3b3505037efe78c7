//! Where a request goes: URLs, references joined to a base (RFC 3986 §5), and redirects (RFC 9110 §15.4).

use percent_encoding::percent_decode_str;
use std::fmt;
use std::fmt::Write as _;
use url::{Host, Url};

/// The longest URL that is accepted, in bytes; what common servers and browsers stop at lies well below.
pub const MAX_URL_BYTES: usize = 64 * 1024;

/// Scheme, host and port: what a connection is made to (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `https` rather than `http`.
    pub https: bool,
    /// Lower-case host name or IP address, an IPv6 address without its brackets.
    pub host: String,
    /// Port, the scheme's own if the URL has none.
    pub port: u16,
}

impl Origin {
    /// The value of the `Host` header: the host, and the port unless it is the scheme's own.
    pub fn authority(&self) -> String {
        let mut text = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port != if self.https { 443 } else { 80 } {
            let _ = write!(text, ":{}", self.port);
        }
        text
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }
}

/// An absolute URL, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where to.
    pub origin: Origin,
    /// The request target: begins with `/`, percent-encoded, without a fragment.
    pub path_and_query: String,
    /// User and password of `http://user:password@host`, decoded; not sent unless the caller does so.
    pub credentials: Option<(String, String)>,
}

/// Why a URL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It does not parse, or is relative without a base.
    #[error("url {url:?} is not valid: {reason}")]
    Invalid {
        /// What was given (at most 200 characters of it).
        url: String,
        /// The parser's reason.
        reason: url::ParseError,
    },
    /// It is of a scheme that is not HTTP.
    #[error("url {url:?} has the scheme {scheme:?}: use http or https")]
    Scheme {
        /// What was given.
        url: String,
        /// Its scheme.
        scheme: String,
    },
    /// It is longer than [`MAX_URL_BYTES`].
    #[error("url of {bytes} bytes is longer than {MAX_URL_BYTES} bytes: shorten it")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

fn clip(url: &str) -> String {
    url.chars().take(200).collect()
}

/// An absolute target from a URL, or from a reference and the base it is joined to (RFC 3986 §5.2: a path that begins
/// with `/` replaces the whole path of the base). Characters that may not stand in a URL are percent-encoded.
///
/// # Errors
/// [`BadUrl`] if the result is no `http` or `https` URL.
pub fn absolute(base: Option<&str>, url: &str) -> Result<Target, BadUrl> {
    if url.len() > MAX_URL_BYTES {
        return Err(BadUrl::TooLong { bytes: url.len() });
    }
    let invalid = |reason| BadUrl::Invalid {
        url: clip(url),
        reason,
    };
    let parsed = match base {
        Some(base) => Url::parse(base)
            .and_then(|base| base.join(url))
            .map_err(invalid)?,
        None => Url::parse(url).map_err(invalid)?,
    };
    let https = match parsed.scheme() {
        "https" => true,
        "http" => false,
        scheme => {
            return Err(BadUrl::Scheme {
                url: clip(url),
                scheme: scheme.to_owned(),
            });
        }
    };
    let host = match parsed.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(invalid(url::ParseError::EmptyHost)),
    };
    let port = parsed.port_or_known_default().unwrap_or(80);
    let mut path_and_query = parsed.path().to_owned();
    if let Some(query) = parsed.query() {
        path_and_query.push('?');
        path_and_query.push_str(query);
    }
    let credentials = (!parsed.username().is_empty() || parsed.password().is_some()).then(|| {
        (
            decoded(parsed.username()),
            decoded(parsed.password().unwrap_or_default()),
        )
    });
    Ok(Target {
        origin: Origin { https, host, port },
        path_and_query,
        credentials,
    })
}

/// What a redirect asks for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Where to.
    pub target: Target,
    /// The method of the next request.
    pub method: String,
    /// Whether the body is sent again.
    pub keep_body: bool,
    /// Whether it leaves the origin.
    pub cross_origin: bool,
}

impl Redirect {
    /// Whether a request header goes along: credentials and cookies never leave their origin, and headers that
    /// describe a body go with it. Compared without regard to case.
    pub fn keeps_header(&self, name: &str) -> bool {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if self.cross_origin
            && (is("authorization") || is("cookie") || is("proxy-authorization") || is("host"))
        {
            return false;
        }
        let of_body = name
            .get(..8)
            .is_some_and(|start| start.eq_ignore_ascii_case("content-"));
        self.keep_body || !of_body
    }
}

impl Target {
    /// Joins a reference to this URL, as [`absolute`] does; a plain absolute path, by far the most common, is not parsed.
    ///
    /// # Errors
    /// [`BadUrl`] as for [`absolute`].
    pub fn join(&self, reference: &str) -> Result<Self, BadUrl> {
        if is_plain_path(reference) {
            let path_and_query = reference.to_owned();
            return Ok(Self {
                origin: self.origin.clone(),
                path_and_query,
                credentials: self.credentials.clone(),
            });
        }
        let joined = absolute(Some(&self.to_string()), reference)?;
        if joined.origin == self.origin && joined.credentials.is_none() {
            return Ok(Self {
                credentials: self.credentials.clone(),
                ..joined
            });
        }
        Ok(joined)
    }

    /// The request that a 3xx response to `method` asks for, as browsers and Go do it (Fetch standard §4.4): 301, 302
    /// and 303 become a `GET` without a body (`HEAD` stays `HEAD`), others keep method and body.
    ///
    /// # Errors
    /// [`BadUrl`] if `location` is not an HTTP URL.
    pub fn resolve_redirect(
        &self,
        status: u16,
        method: &str,
        location: &str,
    ) -> Result<Redirect, BadUrl> {
        let target = self.join(location)?;
        let cross_origin = target.origin != self.origin;
        let keep_body = !matches!(status, 301..=303);
        let method = if keep_body || method == "HEAD" {
            method
        } else {
            "GET"
        };
        Ok(Redirect {
            cross_origin,
            keep_body,
            method: method.to_owned(),
            target,
        })
    }
}

impl fmt::Display for Target {
    /// The URL without credentials.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}://{}{}",
            self.origin.scheme(),
            self.origin.authority(),
            self.path_and_query
        )
    }
}

/// Whether parsing would give back the very same path and query: no scheme or authority, nothing to encode, no dot
/// segment, no fragment.
fn is_plain_path(reference: &str) -> bool {
    let bytes = reference.as_bytes();
    if bytes.first() != Some(&b'/') || bytes.get(1) == Some(&b'/') || bytes.len() > MAX_URL_BYTES {
        return false;
    }
    let mut in_query = false;
    let mut previous = 0;
    for &byte in bytes {
        let plain = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
            b'/' | b'-' | b'_' | b'~' | b'!' | b'$' | b'&' | b'(' | b')' | b'*' | b'+' | b','
            | b';' | b'=' | b':' | b'@' => true,
            b'.' => in_query || previous != b'/',
            b'%' => in_query,
            b'?' => true,
            _ => false,
        };
        if !plain {
            return false;
        }
        in_query |= byte == b'?';
        previous = byte;
    }
    true
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn join(base: &str, url: &str) -> String {
        absolute(Some(base), url).unwrap().to_string()
    }

    /// The examples of RFC 3986 §5.4, as far as the scheme is HTTP.
    #[test]
    fn references_resolve_as_in_rfc_3986() {
        let base = "http://a/b/c/d;p?q";
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
        ] {
            assert_eq!(join(base, reference), expected, "{reference}");
            assert_eq!(
                absolute(None, base)
                    .unwrap()
                    .join(reference)
                    .unwrap()
                    .to_string(),
                expected,
                "{reference}"
            );
        }
    }

    #[test]
    fn illegal_characters_are_encoded() {
        assert_eq!(
            join("http://a", "/p q?r=\"ä\"<>"),
            "http://a/p%20q?r=%22%C3%A4%22%3C%3E"
        );
        let target = absolute(None, "http://h/a\r\nb").unwrap();
        assert_eq!(target.path_and_query, "/ab");
    }

    #[test]
    fn hosts_ports_and_credentials_are_taken_apart() {
        let target = absolute(None, "https://us%40er:p%3Aw@EXAMPLE.com:8443/x").unwrap();
        assert_eq!(
            target.origin,
            Origin {
                https: true,
                host: "example.com".into(),
                port: 8443
            }
        );
        assert_eq!(target.credentials, Some(("us@er".into(), "p:w".into())));
        let target = absolute(None, "http://[::1]:80").unwrap();
        assert_eq!(
            (
                target.origin.host.as_str(),
                target.origin.authority().as_str()
            ),
            ("::1", "[::1]")
        );
        assert_eq!(target.path_and_query, "/");
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        assert!(matches!(
            absolute(None, "ftp://h/"),
            Err(BadUrl::Scheme { .. })
        ));
        assert!(matches!(absolute(None, "/x"), Err(BadUrl::Invalid { .. })));
        assert!(matches!(
            absolute(Some("http://a"), "http://"),
            Err(BadUrl::Invalid { .. })
        ));
        assert!(matches!(
            absolute(None, &"x".repeat(MAX_URL_BYTES + 1)),
            Err(BadUrl::TooLong { .. })
        ));
    }

    #[test]
    fn redirects_change_the_method_as_browsers_do() {
        let from = absolute(None, "https://a/x").unwrap();
        let to = |status, method| from.resolve_redirect(status, method, "/y").unwrap();
        for status in [301, 302, 303] {
            assert_eq!(
                (
                    to(status, "POST").method.as_str(),
                    to(status, "POST").keep_body
                ),
                ("GET", false)
            );
            assert_eq!(to(status, "HEAD").method, "HEAD");
        }
        for status in [307, 308] {
            assert_eq!(
                (
                    to(status, "POST").method.as_str(),
                    to(status, "POST").keep_body
                ),
                ("POST", true)
            );
        }
        assert!(!to(302, "POST").keeps_header("Content-Type"));
        assert!(to(307, "POST").keeps_header("content-type"));
        assert!(to(302, "GET").keeps_header("Authorization"));
    }

    #[test]
    fn credentials_do_not_leave_their_origin() {
        let from = absolute(None, "https://a/x").unwrap();
        for location in ["https://b/", "http://a/", "https://a:444/"] {
            let redirect = from.resolve_redirect(307, "GET", location).unwrap();
            assert!(redirect.cross_origin, "{location}");
            assert!(!redirect.keeps_header("Authorization") && !redirect.keeps_header("COOKIE"));
            assert!(redirect.keeps_header("Accept"));
        }
        assert!(
            !from
                .resolve_redirect(307, "GET", "https://A:443/y")
                .unwrap()
                .cross_origin
        );
    }

    proptest! {
        #[test]
        fn the_short_way_equals_the_parser(reference in "/[a-zA-Z0-9/._~!$&'()*+,;=:@%?# |\\\\\"-]{0,40}") {
            let base = absolute(None, "http://user@h:81/b/c?d").unwrap();
            let short = base.join(&reference);
            let long = absolute(Some("http://user@h:81/b/c?d"), &reference);
            match (short, long) {
                (Ok(short), Ok(long)) => {
                    prop_assert_eq!(&short.path_and_query, &long.path_and_query);
                    prop_assert_eq!(short.origin, long.origin);
                }
                (short, long) => prop_assert_eq!(short.is_err(), long.is_err()),
            }
        }
    }
}
