//! HTTP/2, over TLS or by prior knowledge.

use crate::counters::Counters;
use crate::listen::Stream;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use std::io;

pub(super) async fn serve(
    counters: &Counters,
    body: &Bytes,
    stream: impl Stream,
) -> io::Result<()> {
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
        counters.received(1);
        head.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        head.headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        // A stream that the client has reset is not a failure of the connection.
        if let Ok(mut sending) = respond.send_response(head, false) {
            // h2 keeps what exceeds the window and sends it as the window opens.
            let _ = sending.send_data(body.clone(), true);
        }
    }
    Ok(())
}
