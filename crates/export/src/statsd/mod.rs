//! StatsD, by UDP or TCP: <https://github.com/statsd/statsd/blob/master/docs/metric_types.md>, tags as in
//! <https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/>.
//!
//! The protocol has no times and no answers: what arrives counts when it arrives, and whether it arrives, only the server knows. So
//! nothing is sent twice: after an error the batch goes on where it stood.

mod line;

use crate::connect::{addresses, connect};
use crate::points::Points;
use crate::row::Row;
use crate::sink::{Accepted, End, Run, Sink, SinkError};
use crate::target::{Scheme, Target, TargetError};
use async_trait::async_trait;
use floodgate_records::reach::Reach;
use line::{Lines, TagStyle};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

pub(crate) static SCHEME: Scheme = Scheme {
    names: &["statsd", "statsd+udp", "statsd+tcp"],
    tls_names: &[],
    shown: "statsd://HOST:PORT",
    default_port: Some(8125),
    options: &["points", "prefix", "tags", "transport"],
    password_env: &[],
    token_env: &[],
    again_is_the_same: false,
    serves: false,
    open,
};

/// Bytes of a packet: what fits into a frame of Ethernet on the way through the internet.
const PACKET: usize = 1_400;
/// Packets between two pauses: a server reads them one by one, and its system drops what it has no room for.
const BURST: usize = 4;
const PAUSE: Duration = Duration::from_millis(1);

fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    let points = match target.option("points") {
        Some(text) => {
            Points::parse(text).ok_or_else(|| target.bad_option("points", Points::ALLOWED))?
        }
        None => Points::DEFAULT,
    };
    let style = match target.option("tags") {
        None | Some("datadog") => TagStyle::Datadog,
        Some("none") => TagStyle::None,
        Some("name") => TagStyle::Name,
        Some(_) => return Err(target.bad_option("tags", "datadog, name or none")),
    };
    let is_tcp = match target.option("transport") {
        None => target.url.to_ascii_lowercase().starts_with("statsd+tcp:"),
        Some("udp") => false,
        Some("tcp") => true,
        Some(_) => return Err(target.bad_option("transport", "udp or tcp")),
    };
    let prefix = target.option("prefix").unwrap_or("floodgate.");
    Ok(Box::new(Statsd {
        host: target.host.clone(),
        port: target.port,
        reach: target.reach,
        server: target.authority(),
        is_tcp,
        link: None,
        lines: Lines::new(prefix, &run.testid, style),
        points,
        sent: 0,
    }))
}

enum Link {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

struct Statsd {
    host: String,
    port: u16,
    reach: Reach,
    server: String,
    is_tcp: bool,
    link: Option<Link>,
    lines: Lines,
    points: Points,
    /// Packets of this batch that are sent.
    sent: usize,
}

#[async_trait]
impl Sink for Statsd {
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
        let packets = packets(&self.lines.of(rows, self.points));
        while let Some(packet) = packets.get(self.sent) {
            self.send(packet.as_bytes()).await?;
            if !self.is_tcp && self.sent.is_multiple_of(BURST) {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.sent = 0;
        Ok(Accepted::ALL)
    }

    async fn finish(&mut self, _: &End<'_>) -> Result<Accepted, SinkError> {
        if let Some(Link::Tcp(stream)) = &mut self.link {
            let closed = stream.shutdown().await;
            closed.map_err(|error| self.failed("did not take the end", error))?;
        }
        Ok(Accepted::ALL)
    }
}

impl Statsd {
    async fn send(&mut self, packet: &[u8]) -> Result<(), SinkError> {
        // Taken out: a future that is dropped here may have sent a part.
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.connect().await?,
        };
        // What is begun counts as sent: twice would be wrong, and nobody can tell.
        self.sent += 1;
        let sent = match &mut link {
            Link::Udp(socket) => socket.send(packet).await.map(drop),
            Link::Tcp(stream) => stream.write_all(packet).await,
        };
        if let Err(error) = sent {
            // UDP: nobody listens, which the packet before has found out; both are sent again.
            let again = if self.is_tcp { 0 } else { 2 };
            self.sent = self.sent.saturating_sub(again);
            return Err(self.failed("cannot be reached", error));
        }
        self.link = Some(link);
        Ok(())
    }

    async fn connect(&self) -> Result<Link, SinkError> {
        let (host, port, reach) = (&self.host, self.port, self.reach);
        let failed = |error| self.failed("cannot be reached", error);
        if self.is_tcp {
            return Ok(Link::Tcp(connect(host, port, reach, failed).await?));
        }
        let found = addresses(host, port, reach, failed).await?;
        let address = found
            .first()
            .ok_or_else(|| SinkError::again(format!("{host} has no address")))?;
        let own = if address.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        let socket = UdpSocket::bind(own).await.map_err(failed)?;
        socket.connect(address).await.map_err(failed)?;
        Ok(Link::Udp(socket))
    }

    fn failed(&self, what: &str, error: std::io::Error) -> SinkError {
        SinkError::again(format!("{} {what}", self.server)).because(error)
    }
}

/// Lines, as many in a packet as fit.
fn packets(lines: &[String]) -> Vec<String> {
    let mut packets: Vec<String> = Vec::new();
    for line in lines {
        match packets.last_mut() {
            Some(last) if last.len() + line.len() < PACKET => last.push_str(line),
            _ => packets.push(line.clone()),
        }
    }
    packets
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::schemes;
    use crate::testing::{Nothing, counters, run};

    #[tokio::test]
    async fn packets_arrive_whole_and_each_line_once() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let url = format!("statsd://127.0.0.1:{port}?prefix=k6.&tags=none");
        let target = schemes::parse(&url, &Nothing).unwrap();
        let mut sink = schemes::open(&target, &run()).unwrap();
        let rows = counters(500);
        let expected = 500 * "k6.http_reqs:1|c\n".len();
        let received = async {
            let (mut buffer, mut text) = (vec![0; 65_536], String::new());
            while text.len() < expected {
                let length = server.recv(&mut buffer).await.unwrap();
                assert!(length <= PACKET);
                text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            }
            text
        };
        let (pushed, text) = tokio::join!(sink.push(&rows), received);
        assert_eq!(pushed.unwrap(), Accepted::ALL);
        assert_eq!(text, "k6.http_reqs:1|c\n".repeat(500));
    }

    #[tokio::test]
    async fn nobody_who_listens_is_an_error_sooner_or_later() {
        let free = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        for url in [
            format!("statsd://127.0.0.1:{port}"),
            format!("statsd+tcp://127.0.0.1:{port}"),
        ] {
            let target = schemes::parse(&url, &Nothing).unwrap();
            let mut sink = schemes::open(&target, &run()).unwrap();
            let error = sink.push(&counters(5_000)).await.unwrap_err();
            assert!(matches!(error, SinkError::Again { .. }), "{error}");
            assert!(
                error.told().contains("cannot be reached"),
                "{}",
                error.told()
            );
        }
    }

    #[test]
    fn options_are_checked() {
        for (url, part) in [
            ("statsd://h?tags=all", "datadog, name or none"),
            ("statsd://h?transport=quic", "udp or tcp"),
            ("statsd://h?points=none", "a number from 1"),
            ("statsd://h?org=1", "has no option"),
        ] {
            let opened = schemes::parse(url, &Nothing)
                .and_then(|target| schemes::open(&target, &run()).map(drop));
            let error = opened.unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
        }
    }
}
