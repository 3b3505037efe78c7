//! Options of the HTTP engine.

use super::Build;
use super::flow::Scope;
use crate::definition::model::{
    Auth, ConnectionMode, HostOverride, HttpOptions, HttpVersion, ProxyChoice, ProxyUrl,
    TlsResumption,
};
use crate::definition::tree::Node;
use crate::template::Template;
use crate::units::parse_bytes;

impl Build<'_> {
    /// The options of a node on top of others.
    pub(super) fn http(&mut self, node: &Node, base: &HttpOptions) -> HttpOptions {
        let mut options = base.clone();
        let scope = Scope::new(&self.sources);
        macro_rules! take {
            ($field:ident, $key:literal, $read:expr) => {
                if let Some(value) = node.get($key).and_then($read) {
                    options.$field = value;
                }
            };
        }
        take!(
            version,
            "version",
            |node: &Node| match node.text()?.as_ref() {
                "auto" => Some(HttpVersion::Auto),
                "1.1" => Some(HttpVersion::Http1),
                "2" => Some(HttpVersion::Http2),
                _ => None,
            }
        );
        take!(
            connections,
            "connections",
            |node: &Node| match node.text()?.as_ref() {
                "per-vu" => Some(ConnectionMode::PerVu),
                "shared" => Some(ConnectionMode::Shared),
                _ => None,
            }
        );
        take!(keep_alive, "keepAlive", Node::flag);
        take!(reuse_across_iterations, "reuseAcrossIterations", Node::flag);
        take!(timeout, "timeout", Node::duration);
        take!(connect_timeout, "connectTimeout", Node::duration);
        take!(max_redirects, "maxRedirects", |node: &Node| u32::try_from(
            node.count()?
        )
        .ok());
        take!(max_body_bytes, "maxBody", |node: &Node| parse_bytes(
            node.text()?.as_ref()
        )
        .ok());
        take!(cookies, "cookies", Node::flag);
        take!(accept_encoding, "acceptEncoding", |node: &Node| node
            .items()
            .iter()
            .map(Node::string)
            .collect());
        take!(insecure, "insecure", Node::flag);
        self.ways(node, &mut options);
        options.user_agent = node
            .get("userAgent")
            .and_then(Node::string)
            .or(options.user_agent);
        for (key, field) in [
            ("ca", &mut options.ca),
            ("cert", &mut options.cert),
            ("key", &mut options.key),
        ] {
            if let Some(path) = node.get(key).and_then(|node| self.file(node)) {
                *field = Some(path);
            }
        }
        let is_open = |key| node.get(key).is_some_and(Node::is_open);
        if is_open("cert") || is_open("key") {
            // One without the other would be no pair.
            (options.cert, options.key) = (None, None);
        }
        if let Some(auth) = node.get("auth").and_then(|node| self.auth(node, &scope)) {
            options.auth = Some(auth);
        }
        let headers = node
            .get("headers")
            .map(|node| self.headers(node, &scope))
            .unwrap_or_default();
        options.headers.retain(|(name, _)| {
            !headers
                .iter()
                .any(|(own, _)| own.eq_ignore_ascii_case(name))
        });
        options.headers.extend(headers);
        self.check_http(node, &options);
        options
    }

    /// What says where connections go, and what they remember.
    fn ways(&mut self, node: &Node, options: &mut HttpOptions) {
        let text = |key| node.get(key).and_then(Node::string);
        options.tls_resumption = match text("tlsResumption").as_deref() {
            Some("per-vu") => Some(TlsResumption::PerVu),
            Some("shared") => Some(TlsResumption::Shared),
            Some("never") => Some(TlsResumption::Never),
            _ => options.tls_resumption,
        };
        options.proxy = match text("proxy") {
            None => options.proxy.take(),
            Some(word) if word.eq_ignore_ascii_case("none") => Some(ProxyChoice::None),
            Some(url) => ProxyUrl::parse(&url).ok().map(ProxyChoice::Url),
        };
        options.unix_socket = text("unixSocket").or(options.unix_socket.take());
        if let Some(hosts) = node.get("hosts") {
            for entry in hosts.entries() {
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
        }
        for key in ["proxy", "hosts"] {
            if let Some(found) = node.get(key).filter(|_| options.unix_socket.is_some()) {
                let issue = format!("{key} has no effect, since all connections go to unixSocket");
                self.sink.push(found.issue(issue).warning());
            }
        }
    }

    fn check_http(&mut self, node: &Node, options: &HttpOptions) {
        let is_open = |key| node.get(key).is_some_and(Node::is_open);
        match (node.get("cert"), node.get("key")) {
            (Some(cert), None) if options.key.is_none() => {
                self.sink.push(
                    cert.issue("a certificate without its private key")
                        .allowed("cert and key together"),
                );
            }
            (None, Some(key)) if options.cert.is_none() => {
                self.sink.push(
                    key.issue("a private key without its certificate")
                        .allowed("cert and key together"),
                );
            }
            _ => {}
        }
        if let Some(ca) = node.get("ca").filter(|_| options.insecure) {
            self.sink.push(
                ca.issue("ca has no effect, since insecure skips the verification")
                    .warning(),
            );
        }
        if let Some(connect) = node
            .get("connectTimeout")
            .filter(|connect| !connect.is_open() && !is_open("timeout"))
            .filter(|_| options.connect_timeout > options.timeout)
        {
            let issue = connect
                .issue("connectTimeout is longer than timeout, which ends the request first");
            self.sink.push(issue.warning());
        }
    }

    /// `auth`, of options or of a step.
    pub(super) fn auth(&mut self, node: &Node, scope: &Scope) -> Option<Auth> {
        if let Some(token) = node.get("bearer") {
            return self.line(token, scope).map(Auth::Bearer);
        }
        let digest = node.get("digest");
        let user = digest.or_else(|| node.get("basic"))?;
        let username = user.get("username").and_then(|n| self.line(n, scope));
        let password = user.get("password").and_then(|n| self.line(n, scope));
        let (username, password) = (username?, password?);
        Some(match digest {
            Some(_) => Auth::Digest { username, password },
            None => Auth::Basic { username, password },
        })
    }

    /// `headers`: a name with a list is sent as often as the list is long.
    pub(super) fn headers(&mut self, node: &Node, scope: &Scope) -> Vec<(String, Template)> {
        let mut headers = Vec::new();
        for entry in node.entries() {
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
            for value in one_or_more(&entry.value) {
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
        let breaks = template.parts.iter().any(|part| {
            matches!(part, crate::template::Part::Literal(text) if text.contains(['\r', '\n', '\0']))
        });
        if breaks {
            let issue = node.issue("a line end stands in what goes into a header");
            self.sink.push(issue.hint(
                "write it in one line; a text after | or > ends in a line end: use |- or >-",
            ));
        }
        Some(template)
    }
}

/// The value, or each of a list.
pub(super) fn one_or_more(node: &Node) -> &[Node] {
    if node.scalar().is_some() {
        std::slice::from_ref(node)
    } else {
        node.items()
    }
}
