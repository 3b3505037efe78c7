//! Where something is: targets, files, proxies, addresses, sockets, names on AWS.

use crate::definition::model::{HostOverride, MAX_SOCKET_PATH, ProxyUrl};
use crate::definition::shape::pattern::matches;
use crate::definition::shape::{Grammar, Shape};
use crate::syntax::SyntaxError;
use floodgate_records::printable::quoted;
use std::ops::Range;

const PATTERN: &str = "^[Hh][Tt][Tt][Pp][Ss]?://[^\\s/?#]+[^\\s?#]*$";

pub(super) static TARGET: Shape = Shape::Grammar(Grammar {
    pattern: Some(PATTERN),
    ..Grammar::new(|text| target(text).map(drop), BASE_URL)
});
const BASE_URL: &str = "http://HOST[:PORT][/PATH] or https://…, without a query";

/// The base URL of what is under test.
pub(in crate::definition) fn target(text: &str) -> Result<String, SyntaxError> {
    let hint = "write them below http.auth, so that they are in no report";
    base_url(text, hint)
}

/// The base URL of a system that is asked.
pub(super) static SOURCE: Shape = Shape::Grammar(Grammar {
    pattern: Some(PATTERN),
    ..Grammar::new(|text| source(text).map(drop), BASE_URL)
});

/// The same as read.
pub(in crate::definition) fn source(text: &str) -> Result<String, SyntaxError> {
    let hint = "write user and password beside it, the password as ${secret:NAME} or ${env:NAME}";
    base_url(text, hint)
}

/// A base URL without its trailing slash; the hint says where credentials belong.
fn base_url(text: &str, credentials: &str) -> Result<String, SyntaxError> {
    let fail = |at: Range<usize>, problem: String| SyntaxError::new(at, problem).allowed(BASE_URL);
    let all = 0..text.len();
    let lower = text.to_ascii_lowercase();
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| lower.starts_with(scheme));
    let Some(scheme) = scheme else {
        return Err(fail(
            all,
            format!("{} does not begin with http:// or https://", quoted(text)),
        ));
    };
    let odd = |c: &char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\');
    if let Some((at, c)) = text.char_indices().find(|(_, c)| odd(c)) {
        let problem = format!("{} has {c:?} in it", quoted(text));
        return Err(fail(at..at + c.len_utf8(), problem));
    }
    let authority = text[scheme.len()..].split('/').next().unwrap_or("");
    let place = scheme.len()..scheme.len() + authority.len();
    if let Some(at) = authority.rfind('@') {
        let place = place.start..place.start + at + 1;
        return Err(fail(place, "credentials stand in the URL".to_owned()).hint(credentials));
    }
    // A colon within [ ] belongs to an IPv6 address.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err(fail(place, format!("{} has no host", quoted(text))));
    }
    if port.is_some_and(|port| {
        port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) || port.parse::<u16>().is_err()
    }) {
        let port = place.start + host.len() + 1..place.end;
        return Err(fail(port, format!("{} has no valid port", quoted(text))));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

pub(super) static FILE: Shape = Shape::Grammar(FILE_GRAMMAR);
pub(super) const FILE_GRAMMAR: Grammar = Grammar::new(
    file,
    "the relative path of a file in the definition's folder or below it",
);

/// Whether a path stays in the definition's folder.
pub(in crate::definition) fn is_inside(path: &str) -> bool {
    file(path).is_ok()
}

fn file(text: &str) -> Result<(), SyntaxError> {
    let fail = |problem: &str| {
        Err(
            SyntaxError::new(0, format!("the path {} {problem}", quoted(text))).allowed(
                "a relative path in the definition's folder or below it, with / between its parts",
            ),
        )
    };
    if text.is_empty() || text.len() > 512 {
        return fail("is empty or too long");
    }
    if text.starts_with('/') || text.contains([':', '\\']) || text.chars().any(char::is_control) {
        return fail("is not relative, or has : or \\ in it");
    }
    // A folder's name may end with a slash.
    let path = text.strip_suffix('/').unwrap_or(text);
    if path.split('/').any(|part| matches!(part, ".." | "")) {
        // Everything that a definition names is stored beside it.
        return fail("leads out of the definition's folder");
    }
    Ok(())
}

pub(super) static WEB_URL: Shape = Shape::Grammar(Grammar {
    pattern: Some("^https?://"),
    ..Grammar::new(web_url, "a URL that begins with http:// or https://")
});

fn web_url(text: &str) -> Result<(), SyntaxError> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match host {
        Some(rest)
            if !rest.is_empty()
                && !rest.starts_with('/')
                && !text.contains(char::is_whitespace) =>
        {
            Ok(())
        }
        _ => Err(SyntaxError::whole(text, "is not a valid URL")
            .allowed("a URL that begins with http:// or https://")),
    }
}

const TOPIC: &str = "^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+$";

pub(super) static ARN: Shape = Shape::Grammar(Grammar {
    pattern: Some(TOPIC),
    ..Grammar::new(
        |text| match matches(TOPIC, text) {
            true => Ok(()),
            false => Err(SyntaxError::whole(text, "is not an SNS topic")
                .allowed("arn:aws:sns:REGION:ACCOUNT:TOPIC")),
        },
        "the ARN of an SNS topic",
    )
});

const REGION: &str = "^[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}$";

pub(super) static AWS_REGION: Shape = Shape::Grammar(Grammar {
    pattern: Some(REGION),
    ..Grammar::new(
        |text| match matches(REGION, text) {
            true => Ok(()),
            false => Err(SyntaxError::whole(text, "is not an AWS region")
                .allowed("a region such as eu-west-1")),
        },
        "an AWS region such as eu-west-1",
    )
});

/// What `proxy` may be.
pub(super) static PROXY: Shape = Shape::Grammar(Grammar {
    pattern: Some("^([Nn][Oo][Nn][Ee]|[Hh][Tt][Tt][Pp]://.+)$"),
    ..Grammar::new(
        |text| match text.eq_ignore_ascii_case("none") {
            true => Ok(()),
            false => ProxyUrl::parse(text).map(drop),
        },
        "none or http://[USER:PASSWORD@]HOST[:PORT]",
    )
});

/// A value of `hosts`.
pub(super) static ADDRESS: Shape = Shape::Grammar(Grammar {
    pattern: Some("^[0-9A-Fa-f.:\\[\\]]+$"),
    ..Grammar::new(
        |text| HostOverride::address(text).map(drop),
        "an IP address, with or without a port",
    )
});

/// The path of a Unix socket.
pub(super) static SOCKET: Shape = Shape::Grammar(Grammar {
    pattern: Some("^/[^\\x00]{1,106}$"),
    ..Grammar::new(
        |text| match text.starts_with('/') && !text.contains('\0') && text.len() <= MAX_SOCKET_PATH
        {
            true => Ok(()),
            false => Err(
                SyntaxError::whole(text, "is not a valid socket path").allowed(format!(
                    "an absolute path of at most {MAX_SOCKET_PATH} bytes"
                )),
            ),
        },
        "the absolute path of a Unix socket",
    )
});
