//! A connection, with TLS where it is wanted.
//!
//! TLS is negotiated here, before the client speaks: `SSLRequest`, one byte, then the handshake
//! (<https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL>). Certificates are always verified.

use super::fault::{io, refused};
use crate::connect::connect;
use crate::sink::SinkError;
use crate::target::Target;
use floodgate_records::reach::Reach;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Asks for TLS: the length, and the code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Where to connect, and as whom.
#[derive(Clone)]
pub(super) struct Address {
    host: String,
    port: u16,
    reach: Reach,
    /// Both, for messages.
    authority: String,
    config: Config,
    tls: Option<Roots>,
}

/// What certificates are verified against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// The authorities that browsers trust.
    Public,
    /// Those of a file in PEM.
    File(PathBuf),
}

/// Without the password.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (tls: {:?})", self.authority, self.tls)
    }
}

impl Address {
    /// From the URL. Without `sslmode` a connection to another machine takes TLS.
    ///
    /// # Errors
    /// What is wrong with the URL, with the remedy.
    pub(super) fn of(target: &Target) -> Result<Self, String> {
        let database = target
            .database()
            .ok_or("the database is missing: write postgres://USER@HOST:PORT/DB")?;
        let mut config = Config::new();
        config.dbname(database).application_name("floodgate");
        config.user(target.user.as_deref().unwrap_or("postgres"));
        config.ssl_mode(SslMode::Disable);
        if let Some(password) = &target.credentials.password {
            config.password(password.expose());
        }
        Ok(Self {
            tls: tls(target)?,
            host: target.host.clone(),
            port: target.port,
            reach: target.reach,
            authority: target.authority(),
            config,
        })
    }

    /// Connects and signs in. Dropping the client ends the connection.
    ///
    /// # Errors
    /// [`SinkError`].
    pub(super) async fn connect(&self) -> Result<Client, SinkError> {
        let failed = |error| io(&self.authority, error);
        let stream = connect(&self.host, self.port, self.reach, failed).await?;
        // Batches are written whole: waiting to fill a packet gains nothing.
        stream
            .set_nodelay(true)
            .map_err(|error| io(&self.authority, error))?;
        match &self.tls {
            None => self.sign_in(stream).await,
            Some(roots) => self.sign_in(self.encrypted(stream, roots).await?).await,
        }
    }

    async fn encrypted(
        &self,
        mut stream: TcpStream,
        roots: &Roots,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, SinkError> {
        stream
            .write_all(&SSL_REQUEST)
            .await
            .map_err(|error| io(&self.authority, error))?;
        let answer = stream
            .read_u8()
            .await
            .map_err(|error| io(&self.authority, error))?;
        if answer != b'S' {
            return Err(SinkError::never(format!(
                "{} has no TLS; ?sslmode=disable sends everything in the clear",
                self.authority
            )));
        }
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| SinkError::never(format!("{} is not a name or an address", self.host)))?;
        let connector = TlsConnector::from(Arc::new(client_config(roots)?));
        let stream = connector.connect(name, stream).await;
        stream.map_err(|error| {
            // What a certificate lacks does not come later.
            match error.get_ref().is_some_and(|e| e.is::<tokio_rustls::rustls::Error>()) {
                true => SinkError::never(format!(
                    "{}: {error}; ?sslrootcert=FILE names the authority that signed its certificate",
                    self.authority
                )),
                false => io(&self.authority, error),
            }
        })
    }

    async fn sign_in<S>(&self, stream: S) -> Result<Client, SinkError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (client, connection) = self
            .config
            .connect_raw(stream, NoTls)
            .await
            .map_err(|error| refused(&self.authority)(error))?;
        // It ends with the client, or with an error that the client's next call reports.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(client)
    }
}

fn tls(target: &Target) -> Result<Option<Roots>, String> {
    let file = target.option("sslrootcert").map(PathBuf::from);
    let roots = file.clone().map_or(Roots::Public, Roots::File);
    match target.option("sslmode") {
        Some("disable") if file.is_some() => {
            Err("sslrootcert is of no use with sslmode=disable: leave one of them out".into())
        }
        Some("disable") => Ok(None),
        Some("require" | "verify-full") => Ok(Some(roots)),
        Some(other) => Err(format!(
            "sslmode={other} is not a valid mode: disable, require and verify-full are (the last two are the same here)"
        )),
        None if file.is_none() && is_loopback(&target.host) => Ok(None),
        None => Ok(Some(roots)),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn client_config(roots: &Roots) -> Result<ClientConfig, SinkError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Public => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::File(path) => {
            let unreadable = |why: &dyn fmt::Display| {
                SinkError::never(format!("sslrootcert {}: {why}", path.display()))
            };
            let all = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
            for certificate in all {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                store.add(certificate).map_err(|error| unreadable(&error))?;
            }
            if store.is_empty() {
                return Err(unreadable(&"there is no certificate in it"));
            }
        }
    }
    Ok(ClientConfig::builder()
        .with_root_certificates(store)
        .with_no_client_auth())
}
