//! A VU's cookies: RFC 6265 with bounds, without a public suffix list (instead, a `Domain` without an inner dot is refused).

use chrono::NaiveDate;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most cookies a jar holds; past it the oldest goes (RFC 6265 §6.1 asks for 3,000 in all and 50 a domain).
pub const MAX_COOKIES: usize = 300;
/// The longest `Set-Cookie` value that is looked at, in bytes (RFC 6265 §6.1: at least 4,096).
pub const MAX_COOKIE_BYTES: usize = 8 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Sent to the very host that set it only.
    host_only: bool,
    path: String,
    secure: bool,
    expires: Option<SystemTime>,
}

/// Where a request goes, as far as cookies care.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Whether over TLS.
    pub https: bool,
    /// Lower-case host name or IP address.
    pub host: &'a str,
    /// Path with or without a query.
    pub path: &'a str,
}

impl Site<'_> {
    /// Whether nobody listens on the way there, so that `Secure` cookies may go: over TLS, or this machine, as browsers and
    /// curl have it (<https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy>).
    fn is_trustworthy(&self) -> bool {
        let is_loopback = || match self.host.parse::<std::net::IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => self.host == "localhost" || self.host.ends_with(".localhost"),
        };
        self.https || is_loopback()
    }
}

/// The jar.
#[derive(Clone, Debug, Default)]
pub struct CookieJar {
    /// In the order of their creation.
    cookies: Vec<Cookie>,
}

/// Name and value of a `Set-Cookie` header.
pub(super) fn name_and_value(header: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(header).ok()?;
    let (name, value) = text.split(';').next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty()).then_some((name, value))
}

impl CookieJar {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    /// The value of the first cookie of a name, whatever its site.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|cookie| cookie.name == name)
            .map(|cookie| cookie.value.as_str())
    }

    /// Takes a `Set-Cookie` header in (RFC 6265 §5.3); one that is not valid is ignored, as browsers do.
    pub fn set(&mut self, site: Site<'_>, header: &[u8], now: SystemTime) {
        let Some(cookie) = parse(site, header, now) else {
            return;
        };
        let same = |other: &Cookie| {
            (&other.name, &other.domain, &other.path)
                == (&cookie.name, &cookie.domain, &cookie.path)
        };
        let expired = cookie.expires.is_some_and(|at| at <= now);
        match self.cookies.iter().position(same) {
            Some(at) if expired => drop(self.cookies.remove(at)),
            Some(at) => self.cookies[at] = cookie,
            None if expired => {}
            None => {
                if self.cookies.len() >= MAX_COOKIES {
                    self.cookies.remove(0);
                }
                self.cookies.push(cookie);
            }
        }
    }

    /// The value of the `Cookie` header for a request, longer paths first (RFC 6265 §5.4); `None` without a cookie.
    pub fn header(&self, site: Site<'_>, now: SystemTime) -> Option<String> {
        let path = request_path(site.path);
        let mut chosen: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| {
                let domain = cookie.domain == site.host
                    || (!cookie.host_only && is_subdomain(site.host, &cookie.domain));
                let live = cookie.expires.is_none_or(|at| at > now);
                domain
                    && path_matches(path, &cookie.path)
                    && (!cookie.secure || site.is_trustworthy())
                    && live
            })
            .collect();
        if chosen.is_empty() {
            return None;
        }
        chosen.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = chosen
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        Some(pairs.join("; "))
    }
}

fn parse(site: Site<'_>, header: &[u8], now: SystemTime) -> Option<Cookie> {
    let (name, value) = name_and_value(header)?;
    if header.len() > MAX_COOKIE_BYTES
        || header
            .iter()
            .any(|byte| byte.is_ascii_control() && *byte != b'\t')
    {
        return None;
    }
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: site.host.to_owned(),
        host_only: true,
        path: default_path(site.path).to_owned(),
        secure: false,
        expires: None,
    };
    let mut max_age = None;
    for attribute in std::str::from_utf8(header).ok()?.split(';').skip(1) {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        match key.as_str() {
            "domain" if !value.is_empty() => {
                let domain = value
                    .strip_prefix('.')
                    .unwrap_or(value)
                    .to_ascii_lowercase();
                if domain != site.host {
                    if !is_subdomain(site.host, &domain) || !domain.contains('.') {
                        return None;
                    }
                    cookie.domain = domain;
                }
                cookie.host_only = is_address(site.host);
            }
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "secure" => cookie.secure = true,
            "max-age" => max_age = value.parse::<i64>().ok().or(max_age),
            "expires" => cookie.expires = parse_date(value).or(cookie.expires),
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        let lifetime = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        // too far away for the clock is for ever
        cookie.expires = if seconds <= 0 {
            Some(UNIX_EPOCH)
        } else {
            now.checked_add(lifetime)
        };
    }
    (!cookie.secure || site.is_trustworthy()).then_some(cookie)
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

fn is_subdomain(host: &str, domain: &str) -> bool {
    !is_address(host)
        && host
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
}

fn request_path(target: &str) -> &str {
    target.split('?').next().unwrap_or("/")
}

/// RFC 6265 §5.1.4.
fn default_path(target: &str) -> &str {
    let path = request_path(target);
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

fn path_matches(path: &str, cookie: &str) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

/// RFC 6265 §5.1.1: any order, any delimiters.
fn parse_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'))
        .filter(|token| !token.is_empty())
    {
        let parts: Vec<&str> = token.split(':').collect();
        let number = token.parse::<u32>().ok();
        let named = token.get(..3).and_then(|start| {
            MONTHS
                .iter()
                .position(|name| start.eq_ignore_ascii_case(name))
        });
        match (parts.as_slice(), number, named) {
            ([hour, minute, second], ..) if time.is_none() => {
                let number = |text: &str| text.parse::<u64>().ok();
                let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
                if hour > 23 || minute > 59 || second > 59 {
                    return None;
                }
                time = Some(hour * 3600 + minute * 60 + second);
            }
            (_, Some(number), _) if day.is_none() && token.len() <= 2 => day = Some(number),
            (_, Some(number), _) if year.is_none() && (token.len() == 2 || token.len() == 4) => {
                year = i32::try_from(number).ok().map(|number| match number {
                    0..=69 => number + 2000,
                    70..=99 => number + 1900,
                    _ => number,
                });
            }
            (_, None, Some(at)) if month.is_none() => month = Some(at as u32 + 1),
            _ => {}
        }
    }
    let (time, day, month, year) = (time?, day?, month?, year?);
    let date = NaiveDate::from_ymd_opt(year, month, day).filter(|_| year >= 1601)?;
    // before 1970 is as far gone as 1970
    let days = u64::try_from(date.to_epoch_days()).unwrap_or(0);
    UNIX_EPOCH.checked_add(Duration::from_secs(days * 86_400 + time))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn site<'a>(url: &'a str) -> Site<'a> {
        let (scheme, rest) = url.split_once("://").unwrap();
        let at = rest.find('/').unwrap();
        Site {
            https: scheme == "https",
            host: &rest[..at],
            path: &rest[at..],
        }
    }

    fn jar(from: &str, headers: &[&str]) -> CookieJar {
        let mut jar = CookieJar::default();
        for header in headers {
            jar.set(site(from), header.as_bytes(), UNIX_EPOCH + NOW);
        }
        jar
    }

    fn sent(jar: &CookieJar, to: &str) -> Option<String> {
        jar.header(site(to), UNIX_EPOCH + NOW)
    }

    #[test]
    fn cookies_go_back_to_where_they_belong() {
        let jar = jar(
            "http://www.shop.example/a/b?c",
            &[
                "own=1",
                "all=2; Domain=.shop.example; Path=/",
                "deep=3; Path=/a/b",
            ],
        );
        assert_eq!(
            sent(&jar, "http://www.shop.example/a/b/c").as_deref(),
            Some("deep=3; own=1; all=2")
        );
        assert_eq!(
            sent(&jar, "http://www.shop.example/a").as_deref(),
            Some("own=1; all=2")
        );
        assert_eq!(
            sent(&jar, "http://www.shop.example/ab").as_deref(),
            Some("all=2")
        );
        assert_eq!(
            sent(&jar, "http://api.shop.example/").as_deref(),
            Some("all=2")
        );
        assert_eq!(sent(&jar, "http://evilshop.example/"), None);
    }

    #[test]
    fn a_site_sets_nothing_for_others() {
        assert!(jar("http://a.example/", &["x=1; Domain=b.example"]).is_empty());
        assert!(jar("http://a.example/", &["x=1; Domain=example"]).is_empty());
        assert!(jar("http://127.0.0.1/", &["x=1; Domain=0.0.1"]).is_empty());
        assert!(jar("http://a.example/", &["x=1; Secure"]).is_empty());
        assert!(jar("http://a.example/", &["=1", "x", "", "x=\u{1}"]).is_empty());
        assert!(
            sent(
                &jar("http://127.0.0.1/", &["x=1; Domain=127.0.0.1"]),
                "http://127.0.0.1/"
            )
            .is_some()
        );
    }

    #[test]
    fn secure_cookies_need_tls() {
        let jar = jar("https://a.example/", &["x=1; secure"]);
        assert_eq!(sent(&jar, "http://a.example/"), None);
        assert_eq!(sent(&jar, "https://a.example/").as_deref(), Some("x=1"));
        for here in [
            "localhost",
            "app.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
        ] {
            let url = format!("http://{here}/");
            let jar = self::jar(&url, &["x=1; Secure"]);
            assert_eq!(sent(&jar, &url).as_deref(), Some("x=1"), "{here}");
        }
        for there in ["localhost.example", "10.0.0.1", "::2", "notlocalhost"] {
            let jar = self::jar(&format!("http://{there}/"), &["x=1; Secure"]);
            assert!(jar.is_empty(), "{there}");
        }
    }

    #[test]
    fn cookies_are_replaced_and_expire() {
        let of = |headers: &[&str]| sent(&jar("http://a.example/", headers), "http://a.example/");
        assert_eq!(of(&["x=1", "y=2", "x=3"]).as_deref(), Some("x=3; y=2"));
        assert_eq!(of(&["x=1", "x=; Max-Age=0"]), None);
        assert_eq!(
            of(&["x=1", "x=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]),
            None
        );
        assert_eq!(
            of(&["x=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]).as_deref(),
            Some("x=1")
        );
        assert_eq!(
            of(&["x=1; Max-Age=9223372036854775807"]).as_deref(),
            Some("x=1")
        );
        let jar = jar("http://a.example/", &["x=1; Max-Age=10"]);
        assert_eq!(
            jar.header(
                site("http://a.example/"),
                UNIX_EPOCH + NOW + Duration::from_secs(10)
            ),
            None
        );
    }

    #[test]
    fn dates_of_all_three_formats_are_read() {
        let expected = UNIX_EPOCH.checked_add(Duration::from_secs(784_111_777));
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse_date(text), expected, "{text}");
        }
        let leap = UNIX_EPOCH + Duration::from_secs(1_709_164_800);
        assert_eq!(parse_date("Thu, 29 Feb 2024 00:00:00 GMT"), Some(leap));
        assert_eq!(parse_date("yesterday"), None);
        assert_eq!(parse_date("Sun, 06 Nov 1994 28:49:37 GMT"), None);
    }

    #[test]
    fn a_jar_is_bounded() {
        let mut jar = CookieJar::default();
        for number in 0..=MAX_COOKIES {
            jar.set(
                site("http://a.example/"),
                format!("c{number}=1").as_bytes(),
                UNIX_EPOCH + NOW,
            );
        }
        assert_eq!(
            (jar.cookies.len(), jar.get("c0"), jar.get("c300")),
            (MAX_COOKIES, None, Some("1"))
        );
        jar.set(
            site("http://a.example/"),
            &[b'x'; MAX_COOKIE_BYTES + 1],
            UNIX_EPOCH + NOW,
        );
        jar.clear();
        assert!(jar.is_empty());
    }

    proptest! {
        #[test]
        fn junk_never_panics(header in "\\PC{0,60}", attribute in "(; ?(expires|max-age|path|domain)=[0-9a-zA-Z:, /.-]{0,30}){0,3}") {
            let mut jar = CookieJar::default();
            jar.set(site("https://a.b.example/x/y"), format!("{header}{attribute}").as_bytes(), UNIX_EPOCH + NOW);
            let _ = jar.header(site("https://a.b.example/x/y"), UNIX_EPOCH + NOW);
        }
    }
}
