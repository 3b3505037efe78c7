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
    #[error("the proxy answered {status} to CONNECT{hint}")]
    Refused {
        status: u16,
        /// What to do about it, behind a colon.
        hint: String,
    },
}

/// What to do about an answer. `told`: a user and a password were sent; `asks`: the values of `Proxy-Authenticate`.
fn hint(status: u16, told: bool, asks: &[String]) -> String {
    let first = |ask: &String| ask.split([' ', ',']).next().map(str::to_owned);
    let is_basic = |ask: &String| ask.to_ascii_lowercase().contains("basic");
    match status {
        407 if !asks.is_empty() && !asks.iter().any(is_basic) => format!(
            ": it asks for {}, and proxies are answered with Basic alone; have it take Basic, too",
            asks.iter()
                .filter_map(first)
                .collect::<Vec<_>>()
                .join(" or ")
        ),
        407 if told => ": it does not take this user and password".into(),
        407 => {
            ": give http.proxy a user and a password, as in http://USER:PASSWORD@HOST:PORT".into()
        }
        _ => String::new(),
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
        let mut asks = Vec::new();
        let ask = |_, name: &str, value: &[u8]| {
            if name.eq_ignore_ascii_case("proxy-authenticate") {
                asks.push(String::from_utf8_lossy(value).into_owned());
            }
        };
        let parsed = head::parse(&answer, true, ask).map_err(|_| NoTunnel::NotHttp)?;
        let taken = parsed.map_or(seen, |head| head.len - before);
        proxy.read_exact(&mut piece[..taken]).await?;
        match parsed.map(|head| head.status) {
            Some(200..300) => return Ok(()),
            // an interim answer
            Some(100..200) => answer.clear(),
            Some(status) => {
                let told = request.contains("\r\nProxy-Authorization: ");
                let hint = hint(status, told, &asks);
                return Err(NoTunnel::Refused { status, hint });
            }
            None if answer.len() > MAX_ANSWER => return Err(NoTunnel::NotHttp),
            None => {}
        }
    }
}
