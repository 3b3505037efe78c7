//! Who is let in on one machine: whoever knows the token of this process, from a page of this process.

use crate::caller::Caller;
use crate::problem::Problem;
use axum::extract::Request;
use axum::http::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The token, and the hosts under which this process may be asked: a page of another site whose name is made to point here is none.
#[derive(Debug)]
pub(super) struct Browser {
    token: String,
    caller: Caller,
    hosts: [String; 2],
    cookie: String,
}

impl Browser {
    /// For a process that listens on this port of the loopback interface.
    pub(super) fn new(port: u16, token: String, caller: Caller) -> Self {
        Self {
            token,
            caller,
            hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")],
            // Cookies know no ports: two processes must not take each other's.
            cookie: format!("floodgate-{port}"),
        }
    }

    fn is_known(&self, given: &str) -> bool {
        // As long for a wrong token as for the right one.
        let pairs = given.bytes().zip(self.token.bytes());
        let differences = pairs.fold(0, |sum, (a, b)| sum | (a ^ b));
        given.len() == self.token.len() && differences == 0
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let all = headers.get_all(COOKIE).iter();
        let mut pairs = all
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == self.cookie && self.is_known(value))
    }

    fn has_bearer(&self, headers: &HeaderMap) -> bool {
        let value = headers.get("authorization");
        let value = value.and_then(|value| value.to_str().ok());
        value.is_some_and(|text| {
            text.strip_prefix("Bearer ")
                .is_some_and(|t| self.is_known(t))
        })
    }

    /// The path without its token, if the right one is in the query.
    fn entering(&self, request: &Request) -> Option<String> {
        let query = request.uri().query()?;
        let pairs = query.split('&');
        let (token, rest): (Vec<_>, Vec<_>) = pairs.partition(|pair| pair.starts_with("token="));
        let token = token.first()?.strip_prefix("token=")?;
        let path = request.uri().path();
        self.is_known(token).then(|| match rest.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", rest.join("&")),
        })
    }

    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.hosts.iter().any(|own| own == host))
    }

    /// Whether a page of this process asks; what no page asks for has no origin.
    fn is_own_origin(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else {
            return true;
        };
        let own = |host: &String| origin.as_bytes() == format!("http://{host}").as_bytes();
        self.hosts.iter().any(own)
    }
}

/// Lets a request pass whose sender may ask.
pub(super) async fn judge(access: &Browser, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !access.is_own_host(headers) {
        return refuse(StatusCode::FORBIDDEN, "this host is not served here");
    }
    if let Some(path) = access.entering(&request) {
        return enter(access, &path);
    }
    if !access.has_cookie(headers) && !access.has_bearer(headers) {
        let told = "open the address that floodgate ui prints: it holds the token";
        return refuse(StatusCode::UNAUTHORIZED, told);
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !access.is_own_origin(headers) {
        return refuse(StatusCode::FORBIDDEN, "another site can't ask for this");
    }
    request.extensions_mut().insert(access.caller.clone());
    next.run(request).await
}

fn refuse(status: StatusCode, detail: &str) -> Response {
    Problem::new(status, detail).into_response()
}

/// Takes the token out of the address and keeps it where no script and no other site sees it.
fn enter(access: &Browser, path: &str) -> Response {
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict",
        access.cookie, access.token
    );
    // A path that begins with two slashes would be another host.
    let path = format!("/{}", path.trim_start_matches('/'));
    match (HeaderValue::from_str(&cookie), HeaderValue::from_str(&path)) {
        (Ok(cookie), Ok(path)) => {
            let mut response = StatusCode::SEE_OTHER.into_response();
            response.headers_mut().insert(SET_COOKIE, cookie);
            response.headers_mut().insert(LOCATION, path);
            response
        }
        _ => refuse(StatusCode::BAD_REQUEST, "the address cannot be read"),
    }
}
