//! Accepting connections: one thread, one tokio runtime, a handler a connection.

use crate::counters::{Counters, OpenConnection};
use crate::precise::Timer;
use crate::tls::Acceptor;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// Connections that may wait for `accept`: more than a stalled test opens at once. std's 128 would let the kernel
/// drop SYNs, and a client's second try comes a second later.
const BACKLOG: i32 = 4096;

/// A handshake that takes longer is a client that has gone.
#[cfg(feature = "tls")]
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server of any kind needs.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) counters: Arc<Counters>,
    pub(crate) tls: Option<Acceptor>,
    pub(crate) http2: bool,
}

/// A byte stream of one connection, plain or TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + 'static {
    /// The TCP connection below.
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

#[cfg(feature = "tls")]
impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// How a kind of server treats its connections. Errors on a connection are the client's business, not the server's.
pub(crate) trait Handler: 'static {
    /// Called before TLS; `None` when the handler has dealt with the connection itself.
    async fn accept(self: Rc<Self>, tcp: TcpStream) -> Option<TcpStream> {
        Some(tcp)
    }

    /// Serves one connection to its end; `http2` says which protocol the client has chosen.
    async fn serve(self: Rc<Self>, stream: impl Stream, http2: bool) -> io::Result<()>;
}

/// Binds to loopback with a long backlog, ready for tokio.
pub(crate) fn bind(port: u16) -> io::Result<TcpListener> {
    use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket: OwnedFd = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// Runs a handler until `stopped` resolves or the listener fails.
pub(crate) fn run<H: Handler>(
    server: Server,
    stopped: oneshot::Receiver<()>,
    make: impl FnOnce(Arc<Counters>, Timer) -> H,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, async move {
        let handler = Rc::new(make(server.counters.clone(), Timer::new()?));
        let listener = tokio::net::TcpListener::from_std(server.listener)?;
        let acceptor = server.tls;
        let accepting = async {
            loop {
                let tcp = accept(&listener).await?;
                let open = OpenConnection::new(&server.counters);
                let (handler, acceptor, http2) = (handler.clone(), acceptor.clone(), server.http2);
                let counters = server.counters.clone();
                tokio::task::spawn_local(async move {
                    // A client that goes away is not a fault of the server: nothing to report.
                    let _ = connection(handler, tcp, acceptor, http2, &counters).await;
                    drop(open);
                });
            }
        };
        tokio::select! {
            result = accepting => result,
            _ = stopped => Ok(()),
        }
    })
}

/// Accepts the next connection, waiting out a shortage of descriptors and skipping connections that are gone already.
pub(crate) async fn accept(listener: &tokio::net::TcpListener) -> io::Result<TcpStream> {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                // Fails only on a connection that has been reset, which its handler will see.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) if is_descriptor_shortage(&error) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Too many open files, of this process or of the system.
pub(crate) fn is_descriptor_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

async fn connection<H: Handler>(
    handler: Rc<H>,
    tcp: TcpStream,
    acceptor: Option<Acceptor>,
    http2: bool,
    counters: &Counters,
) -> io::Result<()> {
    let Some(tcp) = handler.clone().accept(tcp).await else {
        return Ok(());
    };
    let Some(acceptor) = acceptor else {
        let http2 = http2 && begins_http2(&tcp).await?;
        return handler.serve(tcp, http2).await;
    };
    shake_hands(handler, tcp, acceptor, counters).await
}

#[cfg(feature = "tls")]
async fn shake_hands<H: Handler>(
    handler: Rc<H>,
    tcp: TcpStream,
    acceptor: Acceptor,
    counters: &Counters,
) -> io::Result<()> {
    let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(tcp)).await;
    let Ok(Ok(stream)) = handshake else {
        counters.handshake_failed();
        return Ok(());
    };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Box::pin(handler.serve(stream, http2)).await
}

#[cfg(not(feature = "tls"))]
async fn shake_hands<H: Handler>(
    _: Rc<H>,
    _: TcpStream,
    acceptor: Acceptor,
    _: &Counters,
) -> io::Result<()> {
    match acceptor {}
}

/// How an HTTP/2 connection begins (RFC 9113, 3.4); no HTTP/1 request starts with these letters.
const HTTP2_BEGINS: &[u8] = b"PRI ";

/// Looks at the first bytes of a plain connection without taking them.
async fn begins_http2(tcp: &TcpStream) -> io::Result<bool> {
    let mut first = [0u8; HTTP2_BEGINS.len()];
    loop {
        let n = tcp.peek(&mut first).await?;
        if n == 0 || n == first.len() || first[..n] != HTTP2_BEGINS[..n] {
            return Ok(first == HTTP2_BEGINS);
        }
        // A preface in pieces: `peek` returns at once as long as there is anything to see.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
