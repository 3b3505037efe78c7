//! The TLS sessions that one user can resume, as a browser keeps them: bounded in servers and tickets, so that thousands
//! of VUs can each have their own.

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls_pki_types::ServerName;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Server names that are remembered, as many as a VU keeps connections; past it the one that was met first goes.
const MAX_SERVERS: usize = 16;
/// Tickets a server; each is good for one connection (RFC 8446 §C.4), and servers send two.
const MAX_TICKETS: usize = 2;

/// One user's sessions. Locked by nobody else: the trait asks for `Sync`.
#[derive(Default)]
pub(super) struct Sessions(Mutex<Vec<Server>>);

struct Server {
    name: ServerName<'static>,
    group: Option<NamedGroup>,
    tls12: Option<Box<Tls12ClientSessionValue>>,
    /// The newest last.
    tls13: Vec<Tls13ClientSessionValue>,
}

impl Sessions {
    fn known<T>(
        &self,
        name: &ServerName<'_>,
        look: impl FnOnce(&mut Server) -> Option<T>,
    ) -> Option<T> {
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(servers.iter_mut().find(|server| server.name == *name)?)
    }

    fn change(&self, name: ServerName<'static>, change: impl FnOnce(&mut Server)) {
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.iter_mut().find(|server| server.name == name) {
            return change(server);
        }
        if servers.len() >= MAX_SERVERS {
            servers.remove(0);
        }
        let mut server = Server {
            name,
            group: None,
            tls12: None,
            tls13: Vec::new(),
        };
        change(&mut server);
        servers.push(server);
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.change(name, |server| server.group = Some(group));
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.known(name, |server| server.group)
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.change(name, |server| server.tls12 = Some(Box::new(value)));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.known(name, |server| server.tls12.as_deref().cloned())
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.known(name, |server| server.tls12.take());
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.change(name, |server| {
            if server.tls13.len() >= MAX_TICKETS {
                server.tls13.remove(0);
            }
            server.tls13.push(value);
        });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.known(name, |server| server.tls13.pop())
    }
}

impl fmt::Debug for Sessions {
    /// Without the secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Sessions")
    }
}
