//! What a redirect makes of a request, as browsers and k6 do (<https://fetch.spec.whatwg.org/#http-redirect-fetch>,
//! RFC 9110 §15.4).

use super::io::Request;
use crate::http::Target;
use crate::http::exchange::ErrorCode;
use bytes::Bytes;
use std::rc::Rc;

/// Whether a status asks to go elsewhere (given a `Location`).
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Turns a request into the one that a redirect asks for.
///
/// 307 and 308 repeat method and body. The others go on with GET and no body, unless the request was a HEAD. To
/// another origin go neither credentials nor cookies that the definition wrote into headers, nor its `Host`.
///
/// # Errors
/// [`ErrorCode::BadUrl`]: the location is no URL of HTTP. The request is unchanged then.
pub(crate) fn redirect(
    request: &mut Request,
    status: u16,
    location: &[u8],
) -> Result<(), ErrorCode> {
    let location = std::str::from_utf8(location).map_err(|_| ErrorCode::BadUrl)?;
    let here = Target {
        origin: (*request.origin).clone(),
        path_and_query: request.path_and_query.clone(),
        credentials: None,
    };
    let next = here
        .resolve_redirect(status, &request.method, location)
        .map_err(|_| ErrorCode::BadUrl)?;
    request.headers.retain(|(name, _)| next.keeps_header(name));
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
    fn a_location_that_is_no_url_changes_nothing() {
        for location in [
            &b"ftp://a.example/"[..],
            b"javascript:alert(1)",
            b"http://",
            b"\xff",
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
