//! Connections of sinks: to where they may go.

use crate::sink::SinkError;
use floodgate_records::reach::Reach;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpStream, lookup_host};

/// Connects to the first address of a host that takes it; `failed` says what it means if none does.
///
/// # Errors
/// What `failed` makes of it; [`SinkError::Never`] for a host that must not be connected to.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    reach: Reach,
    failed: impl Fn(io::Error) -> SinkError,
) -> Result<TcpStream, SinkError> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in addresses(host, port, reach, &failed).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

/// The addresses of a host. What is looked up here is what has to be connected to: a second look-up might answer otherwise.
///
/// # Errors
/// As for [`connect`]: one address that must not be connected to is enough.
pub(crate) async fn addresses(
    host: &str,
    port: u16,
    reach: Reach,
    failed: impl Fn(io::Error) -> SinkError,
) -> Result<Vec<SocketAddr>, SinkError> {
    let found = lookup_host((host, port)).await.map_err(failed)?;
    let found: Vec<SocketAddr> = found.collect();
    match found.iter().find(|address| !reach.allows(address.ip())) {
        Some(own) => Err(SinkError::never(format!(
            "{host} is {}, an address of the machine that exports itself: exports from the cloud go to other machines",
            own.ip()
        ))),
        None => Ok(found),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::schemes;
    use crate::sink::SinkError;
    use crate::testing::{Nothing, counters, run};
    use floodgate_records::reach::Reach;
    use tokio::net::{TcpListener, UdpSocket};

    #[tokio::test]
    async fn no_sink_connects_to_the_own_machine_where_it_must_not() {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (tcp_port, udp_port) = (
            tcp.local_addr().unwrap().port(),
            udp.local_addr().unwrap().port(),
        );
        for url in [
            format!("influxdb://127.0.0.1:{tcp_port}/db"),
            format!("influxdb://localhost:{tcp_port}/db"),
            format!("prometheus+http://[::ffff:127.0.0.1]:{tcp_port}"),
            format!("otlp+http://127.0.0.1:{tcp_port}"),
            format!("postgres://127.0.0.1:{tcp_port}/db"),
            format!("statsd+tcp://127.0.0.1:{tcp_port}"),
            format!("statsd://127.0.0.1:{udp_port}"),
            "influxdb://169.254.169.254/db".to_owned(),
        ] {
            let target = schemes::parse(&url, &Nothing).unwrap();
            let mut sink = schemes::open(&target.within(Reach::Elsewhere), &run()).unwrap();
            let error = sink.push(&counters(10)).await.unwrap_err();
            assert!(matches!(error, SinkError::Never { .. }), "{url}: {error}");
            assert!(
                error.to_string().contains("other machines"),
                "{url}: {error}"
            );
        }
        let nobody = |would: std::io::ErrorKind| would == std::io::ErrorKind::WouldBlock;
        let tcp = tcp.into_std().unwrap();
        assert!(nobody(tcp.accept().unwrap_err().kind()));
        assert!(nobody(udp.try_recv(&mut [0; 8]).unwrap_err().kind()));
    }
}
