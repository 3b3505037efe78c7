//! HTTP/1.1 on tokio, for TLS (and beside HTTP/2).

use super::scan::{self, Scan};
use crate::counters::Counters;
use crate::listen::Stream;
use bytes::{Buf, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(super) async fn serve(
    counters: &Counters,
    answer: &[u8],
    mut stream: impl Stream,
) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(1024);
    while stream.read_buf(&mut buffer).await? > 0 {
        match scan::gets(&buffer) {
            Scan::Gets { count, end } => {
                buffer.advance(end);
                counters.received(count as u64);
                for _ in 0..count {
                    stream.write_all(answer).await?;
                }
                stream.flush().await?;
            }
            Scan::Refused => {
                stream.write_all(scan::NOT_ALLOWED).await?;
                break;
            }
        }
    }
    stream.shutdown().await
}
