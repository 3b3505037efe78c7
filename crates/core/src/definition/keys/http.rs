//! Options of the native HTTP engine.

use super::grammar::{BODY_SIZE, HTTP_VERSION, SHARE};
use super::names::HOST;
use super::places::{ADDRESS, FILE, PROXY as PROXY_URL, SOCKET};
use super::shared::{HEADERS as HEADER_MAP, SENT_TEXT, TEMPLATE};
use super::times::SOME_DURATION;
use crate::definition::field::{Field, Parts, Share, Size, keys};
use crate::definition::model::{ConnectionMode, HttpVersion, TlsResumption};
use crate::definition::shape::{Key, Shape, Table};
use std::time::Duration;

pub(super) static HTTP_SHAPE: Shape = Shape::Object(&HTTP);
pub(super) static REDIRECTS: Shape = Shape::Integer { min: 0, max: 100 };
static ENCODING: Shape = Shape::Choice(&["gzip", "deflate", "br", "zstd"]);
pub(super) static AUTH_SHAPE: Shape = Shape::Object(&AUTH_TABLE);
static TRACING_SHAPE: Shape = Shape::Object(&TRACING_TABLE);
static BASIC_SHAPE: Shape = Shape::Object(&BASIC_TABLE);

keys! { KEYS:
    VERSION: HttpVersion = "version", HTTP_VERSION, default "\"auto\"";
        "Versions of HTTP: auto (over TLS what ALPN agrees on, else 1.1), \"1.1\" or \"2\".";
    CONNECTIONS: ConnectionMode = "connections", { Shape::Choice(ConnectionMode::WORDS) }, default "\"per-vu\"";
        "Who owns connections: each VU its own, or one pool for all.";
    KEEP_ALIVE: bool = "keepAlive", { Shape::Boolean }, default "true"; "Whether connections outlive a request.";
    REUSE_ACROSS_ITERATIONS: bool = "reuseAcrossIterations", { Shape::Boolean }, default "true";
        "Whether connections outlive an iteration.";
    TIMEOUT: Duration = "timeout", SOME_DURATION, default "\"60s\"";
        "The timeout of a request, from the first attempt to connect.";
    CONNECT_TIMEOUT: Duration = "connectTimeout", SOME_DURATION, default "\"30s\""; "The timeout of a TCP connect.";
    MAX_REDIRECTS: u32 = "maxRedirects", REDIRECTS, default "10"; "Redirects to follow; 0 for none.";
    MAX_BODY: Size = "maxBody", BODY_SIZE, default "\"64MiB\""; "The largest response body after decompression.";
    COOKIES: bool = "cookies", { Shape::Boolean }, default "true"; "Whether a VU keeps cookies within an iteration.";
    ACCEPT_ENCODING: Vec<String> = "acceptEncoding", { Shape::List { of: &ENCODING, min: 0 } }, default "[]";
        "The compressions to ask for.";
    HEADERS: Parts = "headers", HEADER_MAP; "Headers of each request; a list of values is sent as several headers.";
    USER_AGENT: String = "userAgent", SENT_TEXT; "The User-Agent; floodgate/VERSION by default.";
    AUTH: Parts = "auth", AUTH_SHAPE; "Credentials of each request.";
    INSECURE: bool = "insecure", { Shape::Boolean }, default "false"; "Skip the verification of certificates.";
    CA: String = "ca", FILE; "PEM file of the authorities to trust instead of the bundled ones.";
    CERT: String = "cert", FILE; "PEM file of the client's certificate chain; with key.";
    KEY: String = "key", FILE; "PEM file of the client's private key; with cert.";
    TLS_RESUMPTION: TlsResumption = "tlsResumption", { Shape::Choice(TlsResumption::WORDS) };
        "Whose TLS sessions new connections resume: the VU's own, any VU's, nobody's; by default per-vu, never with keepAlive: false, shared with connections: shared.";
    PROXY: String = "proxy", PROXY_URL;
        "The proxy for all requests, or none; by default, HTTP_PROXY, HTTPS_PROXY and NO_PROXY decide.";
    HOSTS: Parts = "hosts", { Shape::Map { keys: HOST, of: &ADDRESS, min: 0 } };
        "Addresses to connect to instead of resolving names; Host and the TLS server name stay.";
    TRACING: Parts = "tracing", TRACING_SHAPE;
        "W3C trace context on requests, so that the slowest are found in the target's traces.";
    UNIX_SOCKET: String = "unixSocket", SOCKET;
        "Path of a Unix socket that all connections go to, whatever the URL's host.";
}

/// `http:`.
pub(in crate::definition) static HTTP: Table =
    Table::new("http", "Options of the native HTTP engine.", &[KEYS]).foreign(&[
        ("noConnectionReuse", "write keepAlive: false"),
        ("noVUConnectionReuse", "write reuseAcrossIterations: false"),
        ("insecureSkipTLSVerify", "write insecure: true"),
        ("redirects", "write maxRedirects"),
    ]);

keys! { TRACING_KEYS:
    RATIO: Share = "ratio", SHARE, required; "The share of requests that carry a traceparent of their own.";
}

/// `tracing:`.
static TRACING_TABLE: Table =
    Table::new("tracing", "W3C trace context on requests.", &[TRACING_KEYS]);

keys! { AUTH_KEYS:
    BASIC: Parts = "basic", BASIC_SHAPE; "A user's name and password (RFC 7617).";
    DIGEST: Parts = "digest", BASIC_SHAPE; "A user's name and password, by challenge (RFC 7616).";
    BEARER: Parts = "bearer", TEMPLATE; "A token (RFC 6750).";
}

/// `auth:`.
static AUTH_TABLE: Table =
    Table::new("auth", "Credentials.", &[AUTH_KEYS]).one_of(&["basic", "digest", "bearer"]);

keys! { BASIC_KEYS:
    USERNAME: Parts = "username", TEMPLATE, required; "The user.";
    PASSWORD: Parts = "password", TEMPLATE, required; "The password.";
}

/// `auth.basic:`.
static BASIC_TABLE: Table = Table::new("basic", "A user's name and password.", &[BASIC_KEYS]);
