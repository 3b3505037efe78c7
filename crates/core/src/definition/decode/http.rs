//! Options of the HTTP engine.

use super::context::Decoder;
use super::template::Scope;
use crate::definition::field::Field;
use crate::definition::keys::http;
use crate::definition::model::{Auth, HostOverride, HttpOptions, ProxyChoice, ProxyUrl};
use crate::definition::tree::{Entry, Node};
use crate::template::{Part, Template};
use std::time::Duration;

impl Default for HttpOptions {
    /// What the keys of `http` declare.
    fn default() -> Self {
        Self {
            version: http::VERSION.unless_given(),
            connections: http::CONNECTIONS.unless_given(),
            keep_alive: http::KEEP_ALIVE.unless_given(),
            reuse_across_iterations: http::REUSE_ACROSS_ITERATIONS.unless_given(),
            timeout: http::TIMEOUT.unless_given(),
            connect_timeout: http::CONNECT_TIMEOUT.unless_given(),
            max_redirects: http::MAX_REDIRECTS.unless_given(),
            max_body_bytes: http::MAX_BODY.unless_given().0,
            cookies: http::COOKIES.unless_given(),
            accept_encoding: http::ACCEPT_ENCODING.unless_given(),
            headers: Vec::new(),
            user_agent: None,
            auth: None,
            insecure: http::INSECURE.unless_given(),
            ca: None,
            cert: None,
            key: None,
            tls_resumption: None,
            proxy: None,
            hosts: Vec::new(),
            unix_socket: None,
            traced: 0.0,
        }
    }
}

impl Decoder<'_> {
    /// The options of a node on top of others.
    pub(super) fn http(&mut self, node: &Node, base: &HttpOptions) -> HttpOptions {
        let scope = self.scope();
        let auth = http::AUTH.place(node);
        let mut options = HttpOptions {
            version: http::VERSION.of(node).unwrap_or(base.version),
            connections: http::CONNECTIONS.of(node).unwrap_or(base.connections),
            keep_alive: http::KEEP_ALIVE.of(node).unwrap_or(base.keep_alive),
            reuse_across_iterations: http::REUSE_ACROSS_ITERATIONS
                .of(node)
                .unwrap_or(base.reuse_across_iterations),
            timeout: http::TIMEOUT.of(node).unwrap_or(base.timeout),
            connect_timeout: http::CONNECT_TIMEOUT
                .of(node)
                .unwrap_or(base.connect_timeout),
            max_redirects: http::MAX_REDIRECTS.of(node).unwrap_or(base.max_redirects),
            max_body_bytes: http::MAX_BODY
                .of(node)
                .map_or(base.max_body_bytes, |size| size.0),
            cookies: http::COOKIES.of(node).unwrap_or(base.cookies),
            accept_encoding: http::ACCEPT_ENCODING
                .of(node)
                .unwrap_or_else(|| base.accept_encoding.clone()),
            user_agent: http::USER_AGENT.of(node).or(base.user_agent.clone()),
            auth: auth
                .and_then(|auth| self.auth(auth, &scope))
                .or(base.auth.clone()),
            insecure: http::INSECURE.of(node).unwrap_or(base.insecure),
            tls_resumption: http::TLS_RESUMPTION.of(node).or(base.tls_resumption),
            traced: http::TRACING
                .place(node)
                .and_then(|node| http::RATIO.of(node))
                .map_or(base.traced, |ratio| ratio.0),
            ..base.clone()
        };
        self.ways(node, &mut options);
        self.certificates(node, &mut options);
        let headers = self.headers(http::HEADERS.entries(node), &scope);
        options.headers.retain(|(name, _)| {
            !headers
                .iter()
                .any(|(own, _)| own.eq_ignore_ascii_case(name))
        });
        options.headers.extend(headers);
        let connect = http::CONNECT_TIMEOUT.place(node).filter(|_| {
            // What is open, or none that can be read, is not compared.
            let is_known = |key: Field<Duration>| !key.is_given(node) || key.of(node).is_some();
            is_known(http::CONNECT_TIMEOUT)
                && is_known(http::TIMEOUT)
                && options.connect_timeout > options.timeout
        });
        if let Some(connect) = connect {
            let issue = connect
                .issue("connectTimeout is longer than timeout, which ends the request first");
            self.sink.push(issue.warning());
        }
        options
    }

    /// What says where connections go.
    fn ways(&mut self, node: &Node, options: &mut HttpOptions) {
        options.proxy = match http::PROXY.of(node) {
            None => options.proxy.take(),
            Some(word) if word.eq_ignore_ascii_case("none") => Some(ProxyChoice::None),
            Some(url) => ProxyUrl::parse(&url).ok().map(ProxyChoice::Url),
        };
        options.unix_socket = http::UNIX_SOCKET.of(node).or(options.unix_socket.take());
        for entry in http::HOSTS.entries(node) {
            let own = entry
                .value
                .string()
                .and_then(|to| HostOverride::parse(&entry.key, &to).ok());
            options.hosts.retain(|known| {
                own.as_ref()
                    .is_none_or(|own| (&own.host, own.port) != (&known.host, known.port))
            });
            options.hosts.extend(own);
        }
        for (key, place) in [
            (http::PROXY.key, http::PROXY.place(node)),
            (http::HOSTS.key, http::HOSTS.place(node)),
        ] {
            if let Some(found) = place.filter(|_| options.unix_socket.is_some()) {
                let name = key.name;
                let issue = format!("{name} has no effect, since all connections go to unixSocket");
                self.sink.push(found.issue(issue).warning());
            }
        }
    }

    /// Whom to trust, and as whom to appear.
    fn certificates(&mut self, node: &Node, options: &mut HttpOptions) {
        for (key, field) in [
            (http::CA, &mut options.ca),
            (http::CERT, &mut options.cert),
            (http::KEY, &mut options.key),
        ] {
            if let Some(path) = key.place(node).and_then(|node| self.file(node)) {
                *field = Some(path);
            }
        }
        let is_meant = |key: Field<String>| http::HTTP.means(node, key.key.name);
        match (http::CERT.place(node), http::KEY.place(node)) {
            (Some(cert), None) if options.key.is_none() && !is_meant(http::KEY) => {
                self.sink.push(
                    cert.issue("a certificate without its private key")
                        .allowed("cert and key together"),
                );
            }
            (None, Some(key)) if options.cert.is_none() && !is_meant(http::CERT) => {
                self.sink.push(
                    key.issue("a private key without its certificate")
                        .allowed("cert and key together"),
                );
            }
            _ => {}
        }
        if http::CERT.is_open(node) || http::KEY.is_open(node) {
            // One without the other would be no pair.
            (options.cert, options.key) = (None, None);
        }
        if let Some(ca) = http::CA.place(node).filter(|_| options.insecure) {
            self.sink.push(
                ca.issue("ca has no effect, since insecure skips the verification")
                    .warning(),
            );
        }
    }

    /// `auth`, of options or of a step.
    pub(super) fn auth(&mut self, node: &Node, scope: &Scope) -> Option<Auth> {
        if let Some(token) = http::BEARER.place(node) {
            return self.line(token, scope).map(Auth::Bearer);
        }
        let digest = http::DIGEST.place(node);
        let user = digest.or_else(|| http::BASIC.place(node))?;
        let username = http::USERNAME.place(user).and_then(|n| self.line(n, scope));
        let password = http::PASSWORD.place(user).and_then(|n| self.line(n, scope));
        let (username, password) = (username?, password?);
        Some(match digest {
            Some(_) => Auth::Digest { username, password },
            None => Auth::Basic { username, password },
        })
    }

    /// `headers`: a name with a list is sent as often as the list is long.
    pub(super) fn headers(&mut self, entries: &[Entry], scope: &Scope) -> Vec<(String, Template)> {
        let mut headers = Vec::new();
        for entry in entries {
            if ["content-length", "transfer-encoding"]
                .iter()
                .any(|name| entry.key.eq_ignore_ascii_case(name))
            {
                let issue = entry.value.issue(format!(
                    "the header {} frames the message and is set for you",
                    entry.key
                ));
                self.sink.push(issue.hint("remove it"));
                continue;
            }
            for value in entry.value.one_or_more() {
                headers.extend(
                    self.line(value, scope)
                        .map(|template| (entry.key.clone(), template)),
                );
            }
        }
        headers
    }

    /// A template that stands in a header, which cannot have line ends in it.
    fn line(&mut self, node: &Node, scope: &Scope) -> Option<Template> {
        let template = self.template(node, scope)?;
        let breaks = template
            .parts
            .iter()
            .any(|part| matches!(part, Part::Literal(text) if text.contains(['\r', '\n', '\0'])));
        if breaks {
            let issue = node.issue("a header cannot have a line break in it");
            self.sink.push(issue.hint(
                "write it in one line; a text after | or > ends in a line break: use |- or >-",
            ));
        }
        Some(template)
    }
}
