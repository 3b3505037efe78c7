//! E-mail: plain text by SMTP, encrypted unless the server is on this machine.

use crate::http::{out_of_reach, told};
use crate::message::Message;
use crate::notice::Notice;
use crate::refusal::Refusal;
use crate::slack::cut;
use crate::text;
use crate::tls::own_roots;
use floodgate_records::notify::Email;
use floodgate_records::reach::Reach;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Mail};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use std::error::Error;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use tokio::net::lookup_host;

/// Characters of a subject.
const SUBJECT: usize = 150;

/// Tells answering machines to be silent (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Subject and text.
pub(crate) fn words(message: &Message) -> (String, String) {
    (cut(&text::title(message), SUBJECT), text::plain(message))
}

/// The mail; its id is the notice's, so that a second one is known as such.
fn mail(email: &Email, notice: &Notice, now: SystemTime) -> Result<Mail, Refusal> {
    let mailbox = |address: &str| {
        let read = address.parse::<Mailbox>();
        read.map_err(|error| Refusal::never(format!("{address}: {error}")))
    };
    let (subject, text) = words(&notice.message);
    let host = email.from.rsplit('@').next().unwrap_or("localhost");
    let mut mail = Mail::builder()
        .from(mailbox(&email.from)?)
        .subject(subject)
        .message_id(Some(format!("<{}@{host}>", notice.id)))
        .date(now)
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN);
    for to in &email.to {
        mail = mail.to(mailbox(to)?);
    }
    let mail = mail.body(text);
    mail.map_err(|error| Refusal::never(format!("the mail cannot be written: {error}")))
}

/// Where a server is: `smtp://[USER@]HOST[:PORT]`.
#[derive(Debug, PartialEq, Eq)]
struct Server<'a> {
    user: Option<&'a str>,
    host: &'a str,
    port: u16,
    /// From the start; else by STARTTLS.
    tls: bool,
}

impl<'a> Server<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (tls, rest) = match url.strip_prefix("smtps://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("smtp://")?),
        };
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
            _ => (place, None),
        };
        Some(Self {
            user,
            host: host.trim_matches(['[', ']']),
            port: port.unwrap_or(if tls { 465 } else { 587 }),
            tls,
        })
    }

    /// Nobody is in between who could listen.
    fn is_here(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

fn tls(server: &Server<'_>) -> Result<Tls, Refusal> {
    let parameters = || -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let builder = TlsParameters::builder(server.host.to_owned());
        let mut builder = builder.certificate_store(CertificateStore::WebpkiRoots);
        for root in own_roots() {
            builder = builder.add_root_certificate(Certificate::from_der(root.to_vec())?);
        }
        builder.build_rustls()
    };
    let parameters = parameters().map_err(|error| told("TLS cannot be set up", &error))?;
    Ok(match (server.tls, server.is_here()) {
        (true, _) => Tls::Wrapper(parameters),
        (false, false) => Tls::Required(parameters),
        (false, true) => Tls::Opportunistic(parameters),
    })
}

/// What is connected to: an address that was looked at, where not every one will do. IPv4 comes first, since functions have no other.
async fn connected_to(server: &Server<'_>, reach: Reach) -> Result<String, Refusal> {
    if reach == Reach::Anywhere {
        return Ok(server.host.to_owned());
    }
    let found = lookup_host((server.host, server.port)).await;
    let found = found.map_err(|error| told("cannot be found", &error))?;
    let mut found: Vec<_> = found.map(|address| address.ip()).collect();
    found.sort_by_key(IpAddr::is_ipv6);
    if let Some(own) = found.iter().find(|address| !reach.allows(**address)) {
        return Err(out_of_reach(*own));
    }
    let first = found.first().map(ToString::to_string);
    first.ok_or_else(|| Refusal::again("has no address"))
}

/// Hands the mail to its server.
pub(crate) async fn send(
    email: &Email,
    url: &str,
    notice: &Notice,
    now: SystemTime,
    patience: Duration,
    reach: Reach,
) -> Result<(), Refusal> {
    let server = Server::of(url).ok_or_else(|| Refusal::never("is no mail server's address"))?;
    let host = connected_to(&server, reach).await?;
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(server.port)
        .tls(tls(&server)?)
        .timeout(Some(patience));
    if let (Some(user), Some(password)) = (server.user, &email.password) {
        transport = transport
            .credentials(Credentials::new(user.to_owned(), password.clone()))
            .authentication(vec![Mechanism::Plain, Mechanism::Login]);
    }
    let (transport, mail) = (transport.build(), mail(email, notice, now)?);
    match transport.send(mail.clone()).await {
        Ok(_) => Ok(()),
        Err(error) if email.to.len() > 1 && is_about_a_mailbox(&error) => {
            each_alone(&transport, &mail, &email.to).await
        }
        Err(error) => Err(refusal(&error)),
    }
}

fn refusal(error: &lettre::transport::smtp::Error) -> Refusal {
    match error.is_permanent() {
        true => Refusal::never(told("refuses the mail", error).to_string()),
        false => told("did not take the mail", error),
    }
}

/// Whether it may be one recipient that is refused (RFC 5321 §4.2.3), and not whoever sends.
fn is_about_a_mailbox(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(u16::from);
    code.is_some_and(|code| (550..=554).contains(&code))
}

/// Hands the mail over once a recipient: a server that refuses one of several takes it for none.
async fn each_alone(
    transport: &AsyncSmtpTransport<Tokio1Executor>,
    mail: &Mail,
    recipients: &[String],
) -> Result<(), Refusal> {
    let (mut refused, mut last) = (Vec::new(), None);
    for recipient in recipients {
        let address = recipient.parse::<Mailbox>().map(|mailbox| mailbox.email);
        let address = address.map_err(|e| Refusal::never(format!("{recipient}: {e}")))?;
        let envelope = Envelope::new(mail.envelope().from().cloned(), vec![address]);
        let envelope = envelope.map_err(|e| Refusal::never(format!("{recipient}: {e}")))?;
        if let Err(error) = transport.send_raw(&envelope, &mail.formatted()).await {
            refused.push(recipient.as_str());
            last = Some(refusal(&error));
        }
    }
    let Some(last) = last else {
        return Ok(());
    };
    let others = match recipients.len() - refused.len() {
        0 => "",
        _ => "; the others have it",
    };
    // Tried again, it would reach those twice who have it.
    Err(Refusal::never(format!(
        "{last} for {}{others}",
        refused.join(", ")
    )))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_from_its_url() {
        let of = |user, host, port, tls| Server {
            user,
            host,
            port,
            tls,
        };
        for (url, server, here) in [
            (
                "smtp://mail.example",
                of(None, "mail.example", 587, false),
                false,
            ),
            (
                "smtps://a@b@mail.example",
                of(Some("a@b"), "mail.example", 465, true),
                false,
            ),
            (
                "smtp://127.0.0.1:1025",
                of(None, "127.0.0.1", 1025, false),
                true,
            ),
            ("smtp://[::1]:25", of(None, "::1", 25, false), true),
            ("smtp://localhost", of(None, "localhost", 587, false), true),
        ] {
            let read = Server::of(url).unwrap();
            assert_eq!((read.is_here(), read), (here, server), "{url}");
        }
        assert_eq!(Server::of("http://x"), None);
        assert_eq!(Server::of("smtp://x:y"), None);
    }

    #[tokio::test]
    async fn a_mail_server_is_no_way_to_the_machine_that_sends() {
        for url in ["smtp://127.0.0.1:9001", "smtp://localhost", "smtps://[::1]"] {
            let server = Server::of(url).unwrap();
            let refused = connected_to(&server, Reach::Elsewhere).await.unwrap_err();
            assert!(refused.is_final(), "{refused}");
            let anywhere = connected_to(&server, Reach::Anywhere).await.unwrap();
            assert_eq!(anywhere, server.host);
        }
        let other = Server::of("smtp://203.0.113.9").unwrap();
        let connected = connected_to(&other, Reach::Elsewhere).await.unwrap();
        assert_eq!(connected, "203.0.113.9");
    }
}
