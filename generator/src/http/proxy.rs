//! Which proxy a request goes through: the definition's, or the environment's by the rules that curl and Go share. Pure.

use super::url::Origin;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use floodgate_core::definition::{ProxyChoice, ProxyUrl};
use std::net::IpAddr;

/// The variables of an environment that speak of proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    /// `HTTP_PROXY`, for `http://`: the name of the variable that was set, and its value.
    pub http: Option<(&'static str, String)>,
    /// `HTTPS_PROXY`, for `https://`.
    pub https: Option<(&'static str, String)>,
    /// `NO_PROXY`: hosts that need none.
    pub no: String,
}

impl ProxyVariables {
    /// Reads them; names in lower case come first, and `ALL_PROXY` last, as for curl. An empty value counts as not set.
    pub fn read(env: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            names
                .iter()
                .find_map(|name| Some((*name, env(name).filter(|value| !value.trim().is_empty())?)))
        };
        Self {
            http: first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            no: first(&["no_proxy", "NO_PROXY"]).map_or_else(String::new, |(_, value)| value),
        }
    }
}

/// What an origin is reached through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Nothing. `NO_PROXY` says so if `told`.
    Direct {
        told: bool,
    },
    Proxy(Named),
    /// A variable names something that is not an HTTP proxy.
    Unusable(String),
}

/// A proxy, and how a record calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) origin: Origin,
    /// The value of `Proxy-Authorization`.
    pub(super) authorization: Option<String>,
    /// Without its password.
    pub(super) said: String,
}

/// The proxy for an origin: the definition's word is the last one.
pub(super) fn choose(
    choice: Option<&ProxyChoice>,
    variables: &ProxyVariables,
    origin: &Origin,
) -> Choice {
    match choice {
        Some(ProxyChoice::None) => return Choice::Direct { told: false },
        Some(ProxyChoice::Url(url)) => return Choice::Proxy(named(url, "")),
        None => {}
    }
    let variable = if origin.https {
        &variables.https
    } else {
        &variables.http
    };
    let Some((name, value)) = variable else {
        return Choice::Direct { told: false };
    };
    if is_exempt(&variables.no, origin) {
        return Choice::Direct { told: true };
    }
    // as for curl and Go, a proxy without a scheme is an HTTP proxy
    let value = value.trim();
    let url = if value.contains("://") {
        ProxyUrl::parse(value)
    } else {
        ProxyUrl::parse(&format!("http://{value}"))
    };
    match url {
        Ok(url) => Choice::Proxy(named(&url, &format!(" ({name})"))),
        Err(error) => Choice::Unusable(format!(
            "{name} names no proxy that can be used: {error}; set it to http://HOST:PORT, or http.proxy: none in the definition"
        )),
    }
}

fn named(url: &ProxyUrl, from: &str) -> Named {
    let origin = Origin {
        https: false,
        host: url.host.clone(),
        port: url.port,
    };
    let authorization = url
        .credentials
        .as_ref()
        .map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    Named {
        authorization,
        said: format!("proxy {url}{from}"),
        origin,
    }
}

/// Whether a list as in `NO_PROXY` has the origin in it: `*`, names with all below them (`example.com` and
/// `.example.com` alike), addresses, networks (`10.0.0.0/8`), each with or without a port.
fn is_exempt(list: &str, origin: &Origin) -> bool {
    let address = origin.host.parse::<IpAddr>().ok();
    list.split([',', ' '])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            let (host, port) = with_port(entry);
            if port.is_some_and(|port| port != origin.port) {
                return false;
            }
            if host == "*" {
                return true;
            }
            if let Some(address) = address {
                let plain = host.trim_start_matches('[').trim_end_matches(']');
                return plain.parse() == Ok(address) || is_in(plain, address);
            }
            let name = host
                .trim_start_matches("*.")
                .trim_start_matches('.')
                .to_ascii_lowercase();
            let own = origin.host.trim_end_matches('.');
            own.strip_suffix(&name)
                .is_some_and(|above| above.is_empty() || above.ends_with('.'))
                && !name.is_empty()
        })
}

fn with_port(entry: &str) -> (&str, Option<u16>) {
    if entry.parse::<IpAddr>().is_ok() {
        return (entry, None);
    }
    match entry.rsplit_once(':') {
        Some((host, port)) => port
            .parse()
            .map_or((entry, None), |port| (host, Some(port))),
        None => (entry, None),
    }
}

fn is_in(network: &str, address: IpAddr) -> bool {
    let Some((base, bits)) = network.split_once('/') else {
        return false;
    };
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(base) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(base), IpAddr::V6(address)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(base) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn origin(https: bool, host: &str, port: u16) -> Origin {
        Origin {
            https,
            host: host.into(),
            port,
        }
    }

    fn variables(list: &[(&str, &str)]) -> ProxyVariables {
        ProxyVariables::read(|name| {
            let found = list.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn said(choice: Option<&ProxyChoice>, list: &[(&str, &str)], of: &Origin) -> String {
        match choose(choice, &variables(list), of) {
            Choice::Direct { told: false } => "direct".into(),
            Choice::Direct { told: true } => "told".into(),
            Choice::Proxy(named) => named.said,
            Choice::Unusable(why) => why,
        }
    }

    #[test]
    fn variables_are_found_as_curl_and_go_find_them() {
        let (http, https) = (origin(false, "h", 80), origin(true, "h", 443));
        let both = [("HTTP_PROXY", "http://a:1"), ("https_proxy", "b:2")];
        assert_eq!(said(None, &both, &http), "proxy http://a:1 (HTTP_PROXY)");
        assert_eq!(said(None, &both, &https), "proxy http://b:2 (https_proxy)");
        let lower = [("HTTP_PROXY", "http://a:1"), ("http_proxy", "c")];
        assert_eq!(said(None, &lower, &http), "proxy http://c:80 (http_proxy)");
        assert_eq!(said(None, &lower, &https), "direct");
        assert_eq!(
            said(None, &[("ALL_PROXY", "http://d:4")], &https),
            "proxy http://d:4 (ALL_PROXY)"
        );
        assert_eq!(said(None, &[("http_proxy", " ")], &http), "direct");
        let odd = said(None, &[("http_proxy", "socks5://u:pw@x:1")], &http);
        assert!(
            odd.contains("http_proxy") && odd.contains("socks5") && !odd.contains("pw"),
            "{odd}"
        );
    }

    #[test]
    fn the_definition_has_the_last_word() {
        let list = [("http_proxy", "http://a:1")];
        let of = origin(false, "h", 80);
        assert_eq!(said(Some(&ProxyChoice::None), &list, &of), "direct");
        let url = ProxyChoice::Url(ProxyUrl::parse("http://u:s3cret@b:2").unwrap());
        assert_eq!(said(Some(&url), &list, &of), "proxy http://***@b:2");
        let Choice::Proxy(named) = choose(Some(&url), &variables(&list), &of) else {
            panic!("no proxy");
        };
        assert_eq!(named.authorization.unwrap(), "Basic dTpzM2NyZXQ=");
    }

    #[test]
    fn exemptions_are_names_addresses_and_networks() {
        let exempt = |list: &str, host: &str, port| is_exempt(list, &origin(false, host, port));
        for list in [
            "*",
            "a.test",
            ".a.test",
            "*.a.test",
            "x, b.a.test",
            "A.test:80",
        ] {
            assert!(exempt(list, "b.a.test", 80), "{list}");
        }
        for list in ["", "a.test:81", "ba.test", "test.a", ".", "b.a.test.x"] {
            assert!(!exempt(list, "b.a.test", 80), "{list}");
        }
        assert!(!exempt("a.test", "ba.test", 80));
        for list in ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0", "127.0.0.1:80"] {
            assert!(exempt(list, "127.0.0.1", 80), "{list}");
        }
        for list in [
            "127.0.0.2",
            "10.0.0.0/8",
            "127.0.0.1/33",
            "127.0.0.1:81",
            "localhost",
        ] {
            assert!(!exempt(list, "127.0.0.1", 80), "{list}");
        }
        assert!(exempt("::1", "::1", 80) && exempt("[::1]:80", "::1", 80));
        assert!(exempt("fd00::/8", "fd12::1", 80) && !exempt("fd00::/8", "fe80::1", 80));
    }
}
