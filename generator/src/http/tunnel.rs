//! A tunnel through a proxy (RFC 9110 §9.3.6).

use super::head;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest head of a proxy's answer, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoTunnel {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the proxy closed the connection before it answered")]
    Closed,
    #[error("the proxy did not answer in HTTP within {MAX_ANSWER} bytes")]
    NotHttp,
    #[error("the proxy answered {0} to CONNECT{hint}", hint = hint(*.0))]
    Refused(u16),
}

fn hint(status: u16) -> &'static str {
    match status {
        407 => ": give http.proxy a user and a password, as in http://USER:PASSWORD@HOST:PORT",
        _ => "",
    }
}

/// Asks a proxy for a connection. Not a byte behind its answer is taken: it is what the tunnel leads to that speaks then.
pub(super) async fn dig(proxy: &mut TcpStream, request: &str) -> Result<(), NoTunnel> {
    proxy.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let seen = proxy.peek(&mut piece).await?;
        if seen == 0 {
            return Err(NoTunnel::Closed);
        }
        let before = answer.len();
        answer.extend_from_slice(&piece[..seen]);
        let parsed = head::parse(&answer, true, |_, _, _| {}).map_err(|_| NoTunnel::NotHttp)?;
        let taken = parsed.map_or(seen, |head| head.len - before);
        proxy.read_exact(&mut piece[..taken]).await?;
        match parsed.map(|head| head.status) {
            Some(200..300) => return Ok(()),
            // an interim answer
            Some(100..200) => answer.clear(),
            Some(status) => return Err(NoTunnel::Refused(status)),
            None if answer.len() > MAX_ANSWER => return Err(NoTunnel::NotHttp),
            None => {}
        }
    }
}
