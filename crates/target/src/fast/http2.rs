//! HTTP/2, over TLS or by prior knowledge.

use super::Fast;
use crate::listen::Stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use std::io;

pub(super) async fn serve(fast: &Fast, stream: impl Stream) -> io::Result<()> {
    let mut connection = h2::server::Builder::new()
        .max_concurrent_streams(1_000)
        .handshake::<_, bytes::Bytes>(stream)
        .await
        .map_err(io::Error::other)?;
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request.map_err(io::Error::other)?;
        let mut head = Response::new(());
        if *request.method() != Method::GET {
            *head.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            respond
                .send_response(head, true)
                .map_err(io::Error::other)?;
            continue;
        }
        fast.counters.received(1);
        head.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        head.headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(fast.body.len()));
        // A stream that the client has reset is not a failure of the connection.
        if let Ok(mut body) = respond.send_response(head, false) {
            // h2 keeps what exceeds the window and sends it as the window opens.
            let _ = body.send_data(fast.body.clone(), true);
        }
    }
    Ok(())
}
