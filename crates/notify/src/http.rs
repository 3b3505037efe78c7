//! One POST, and what came of it.

use crate::refusal::Refusal;
use crate::tls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use floodgate_records::reach::Reach;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use rustls_pki_types::ServerName;
use std::error::Error;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// Bytes of an answer that are read: it may be a page of some other server.
const MAX_BODY: usize = 2 << 10;

/// Sends JSON; taken is what is answered with 2xx. 410 ends it; everything else may pass, also what looks final: an endpoint that is
/// being put up answers 404 or 401 until it is.
///
/// # Errors
/// [`Refusal`]. Messages name the server, never the path: that is a secret.
pub(crate) async fn post(
    url: &str,
    headers: HeaderMap,
    body: Bytes,
    reach: Reach,
) -> Result<(), Refusal> {
    let url = Url::parse(url).map_err(|error| Refusal::never(format!("is no URL: {error}")))?;
    let request = request(&url, headers, body)?;
    let stream = connect(&url, reach).await?;
    let answer = match url.scheme() {
        "https" => {
            let config = tls::client();
            let config = config.map_err(|error| told("TLS cannot be set up", &error))?;
            let name = ServerName::try_from(host(&url))
                .map_err(|error| Refusal::never(format!("has no valid host name: {error}")))?;
            let stream = TlsConnector::from(config).connect(name, stream).await;
            send(
                stream.map_err(|error| told("refuses TLS", &error))?,
                request,
            )
            .await
        }
        _ => send(stream, request).await,
    }?;
    judge(answer).await
}

fn request(url: &Url, headers: HeaderMap, body: Bytes) -> Result<Request<Full<Bytes>>, Refusal> {
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let authority = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let mut request = Request::post(path)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("floodgate/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, body.len());
    if !url.username().is_empty() {
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
        let (user, password) = (
            decoded(url.username()),
            decoded(url.password().unwrap_or("")),
        );
        let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let value = HeaderValue::from_str(&basic);
        let mut value = value.map_err(|_| Refusal::never("has a user that cannot be sent"))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    if let Some(own) = request.headers_mut() {
        own.extend(headers);
    }
    let request = request.body(Full::new(body));
    request.map_err(|_| Refusal::never("has an address that cannot be asked"))
}

/// Without the brackets of an IPv6 address.
fn host(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

async fn connect(url: &Url, reach: Reach) -> Result<TcpStream, Refusal> {
    let port = url.port_or_known_default().unwrap_or(443);
    let found = lookup_host((host(url), port)).await;
    let found = found.map_err(|error| told("cannot be found", &error))?;
    let mut last = Refusal::again("has no address");
    for address in found {
        if !reach.allows(address.ip()) {
            return Err(out_of_reach(address.ip()));
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A request is written at once.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = told("cannot be reached", &error),
        }
    }
    Err(last)
}

/// Of a receiver that is at an address of this machine's.
pub(crate) fn out_of_reach(address: IpAddr) -> Refusal {
    Refusal::never(format!(
        "is at {address}, which is this machine's own: notifications from the cloud go to other machines"
    ))
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Refusal> {
    let shaken = handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| told("does not speak HTTP", &error))?;
    // It ends with the sender; what it fails by, the request reports.
    tokio::spawn(connection);
    let sent = sender.send_request(request).await;
    sent.map_err(|error| told("did not answer", &error))
}

async fn judge(answer: Response<Incoming>) -> Result<(), Refusal> {
    let status = answer.status().as_u16();
    if answer.status().is_success() {
        return Ok(());
    }
    let after = retry_after(answer.headers(), SystemTime::now());
    let said = beginning(answer.into_body()).await;
    let why = format!("answered {status}{said}");
    match status {
        410 => Err(Refusal::never(format!("{why}; it is gone for good"))),
        300..=399 => Err(Refusal::again(format!(
            "{why}; redirections are not followed"
        ))),
        _ => Err(Refusal::Again { why, after }),
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text)
            .ok()?
            .duration_since(now)
            .ok(),
    }
}

/// What an answer says, as it may stand after its status: `: text`, or nothing.
async fn beginning(mut body: Incoming) -> String {
    let mut read = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        read.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        if read.len() >= MAX_BODY {
            read.truncate(MAX_BODY);
            break;
        }
    }
    let text = String::from_utf8_lossy(&read);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.is_empty() {
        true => text,
        false => format!(": {text}"),
    }
}

/// What went wrong, with what it began with.
pub(crate) fn told(what: &str, error: &(dyn Error + 'static)) -> Refusal {
    let mut first = error;
    while let Some(source) = first.source() {
        first = source;
    }
    Refusal::again(format!("{what}: {first}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_asked_for_in_seconds_or_by_a_date() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
            retry_after(&headers, now).map(|after| after.as_secs())
        };
        assert_eq!(of("120"), Some(120));
        assert_eq!(of("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(of("Sun, 06 Nov 1994 08:48:37 GMT"), None);
        assert_eq!(of("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::now()), None);
    }
}
