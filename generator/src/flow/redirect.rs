//! What a redirect makes of a request, as browsers and k6 do (<https://fetch.spec.whatwg.org/#http-redirect-fetch>,
//! RFC 9110 §15.4).

use super::io::Request;
use super::request::basic;
use crate::exchange::ErrorCode;
use crate::http::Target;
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;

/// Whether a status asks to go elsewhere (given a `Location`).
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Turns a request into the one that a redirect asks for.
///
/// 307 and 308 repeat method and body. The others go on with GET and no body, unless the request was a HEAD. To
/// another origin go neither credentials nor cookies that the definition wrote into headers, nor its `Host`. Credentials in
/// the location are those to go on with.
///
/// # Errors
/// [`ErrorCode::BadUrl`]: the location is not a URL of HTTP. The request is unchanged then.
pub(crate) fn redirect(
    request: &mut Request,
    status: u16,
    location: &[u8],
) -> Result<(), ErrorCode> {
    let location = as_text(location);
    let here = Target {
        origin: (*request.origin).clone(),
        path_and_query: request.path_and_query.clone(),
        credentials: None,
    };
    let next = here
        .resolve_redirect(status, &request.method, &location)
        .map_err(|_| ErrorCode::BadUrl)?;
    request.headers.retain(|(name, _)| next.keeps_header(name));
    if let Some((user, password)) = &next.target.credentials {
        request
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        let value = basic(user, password).into();
        request.headers.push((Rc::from("Authorization"), value));
    }
    if next.cross_origin || next.target.credentials.is_some() {
        request.digest = None;
    }
    if next.cross_origin {
        request.authority = next.target.origin.authority().into();
        request.origin = Rc::new(next.target.origin);
    }
    request.path_and_query = next.target.path_and_query;
    request.method = next.method.into();
    if !next.keep_body {
        request.body = Bytes::new();
    }
    Ok(())
}

/// A location as text. Bytes that are not UTF-8 are percent-encoded one by one, as curl, Go and browsers do.
fn as_text(location: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(location) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(3 * location.len());
    for &byte in location {
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            // writing to a String does not fail
            let _ = write!(text, "%{byte:02X}");
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::http::Origin;

    fn post() -> Request {
        let header = |name: &str, value: &'static str| (Rc::from(name), Bytes::from(value));
        Request {
            method: "POST".into(),
            origin: Rc::new(Origin {
                https: true,
                host: "a.example".into(),
                port: 443,
            }),
            authority: "virtual.example".into(),
            path_and_query: "/x/y?q=1".into(),
            headers: vec![
                header("Authorization", "Bearer t"),
                header("content-type", "text/plain"),
                header("X-Own", "1"),
            ],
            body: "text".into(),
            digest: None,
        }
    }

    fn names(request: &Request) -> Vec<&str> {
        request.headers.iter().map(|(name, _)| &**name).collect()
    }

    #[test]
    fn only_307_and_308_repeat_method_and_body() {
        for status in [301, 302, 303] {
            let mut request = post();
            redirect(&mut request, status, b"../z#part").unwrap();
            assert_eq!(
                (
                    &*request.method,
                    request.path_and_query.as_str(),
                    request.body.len()
                ),
                ("GET", "/z", 0)
            );
            assert_eq!(names(&request), ["Authorization", "X-Own"]);
        }
        for status in [307, 308] {
            let mut request = post();
            redirect(&mut request, status, b"?q=2").unwrap();
            assert_eq!(
                (&*request.method, request.path_and_query.as_str()),
                ("POST", "/x/y?q=2")
            );
            assert_eq!(
                (request.body.as_ref(), &*request.authority),
                (&b"text"[..], "virtual.example")
            );
            assert_eq!(names(&request), ["Authorization", "content-type", "X-Own"]);
        }
        let mut head = Request {
            method: "HEAD".into(),
            ..post()
        };
        redirect(&mut head, 303, b"/").unwrap();
        assert_eq!(&*head.method, "HEAD");
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        for location in [
            "https://b.example/",
            "http://a.example/",
            "https://a.example:8443/",
            "//b.example/",
        ] {
            let mut request = post();
            redirect(&mut request, 308, location.as_bytes()).unwrap();
            assert_eq!(names(&request), ["content-type", "X-Own"], "{location}");
            assert_ne!(&*request.authority, "virtual.example", "{location}");
        }
    }

    #[test]
    fn odd_locations_are_read_as_browsers_read_them() {
        for (location, target) in [
            (&b"/caf\xe9?q=\xfc"[..], "/caf%E9?q=%FC"),
            ("/café".as_bytes(), "/caf%C3%A9"),
            (b"  /a b\t", "/a%20b"),
            (b"/a\\b", "/a/b"),
            (b"?", "/x/y?"),
            (b"#part", "/x/y?q=1"),
            (b"z", "/x/z"),
            (b"//A.example", "/"),
            (b"HTTPS://a.example/%zz", "/%zz"),
        ] {
            let mut request = post();
            redirect(&mut request, 302, location).unwrap();
            assert_eq!(request.path_and_query, target);
            assert_eq!(request.origin.host, "a.example");
        }
    }

    #[test]
    fn credentials_of_a_location_are_sent() {
        for (location, value) in [
            ("https://u:p@b.example/", "Basic dTpw"),
            ("//u:p@a.example/", "Basic dTpw"),
            ("https://u@b.example/", "Basic dTo="),
            ("https://%75:p%40@b.example/", "Basic dTpwQA=="),
        ] {
            let mut request = post();
            redirect(&mut request, 302, location.as_bytes()).unwrap();
            let all: Vec<_> = request
                .headers
                .iter()
                .filter(|(name, _)| &**name == "Authorization")
                .map(|(_, value)| value.as_ref())
                .collect();
            assert_eq!(all, [value.as_bytes()], "{location}");
            redirect(&mut request, 302, b"/on").unwrap();
            assert!(names(&request).contains(&"Authorization"));
            redirect(&mut request, 302, b"https://c.example/").unwrap();
            assert_eq!(names(&request), ["X-Own"]);
        }
    }

    #[test]
    fn a_location_that_is_no_url_changes_nothing() {
        for location in [
            &b"ftp://a.example/"[..],
            b"javascript:alert(1)",
            b"http://",
            b"http://\xff\xfe/",
            b"http://[::1",
        ] {
            let mut request = post();
            assert_eq!(
                redirect(&mut request, 302, location),
                Err(ErrorCode::BadUrl)
            );
            assert_eq!(request, post());
        }
    }
}
