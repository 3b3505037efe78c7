//! Options of the native HTTP engine.

use super::grammar::{ADDRESS, BODY_SIZE, FILE, HTTP_VERSION, PROXY, SOCKET, SOME_DURATION};
use super::names::HOST;
use super::{FLAG, HEADERS, SENT_TEXT, TEMPLATE};
use crate::definition::shape::{Key, Shape, Table};

static CONNECTIONS: Shape = Shape::Choice(&["per-vu", "shared"]);
static RESUMPTION: Shape = Shape::Choice(&["per-vu", "shared", "never"]);
static HOSTS: Shape = Shape::Map {
    keys: HOST,
    of: &ADDRESS,
    min: 0,
};
pub(super) static REDIRECTS: Shape = Shape::Integer { min: 0, max: 100 };
static ENCODINGS: Shape = Shape::List {
    of: &ENCODING,
    min: 0,
};
static ENCODING: Shape = Shape::Choice(&["gzip", "deflate", "br", "zstd"]);
pub(super) static AUTH_SHAPE: Shape = Shape::Object(&AUTH);
static BASIC_SHAPE: Shape = Shape::Object(&BASIC);

/// `http:`.
pub(super) static HTTP: Table = Table {
    name: "http",
    about: "Options of the native HTTP engine.",
    keys: &[&[
        Key::new(
            "version",
            &HTTP_VERSION,
            "Versions of HTTP: auto (over TLS what ALPN agrees on, else 1.1), \"1.1\" or \"2\".",
        )
        .default("\"auto\""),
        Key::new(
            "connections",
            &CONNECTIONS,
            "Who owns connections: each VU its own, or one pool for all.",
        )
        .default("\"per-vu\""),
        Key::new("keepAlive", &FLAG, "Whether connections outlive a request.").default("true"),
        Key::new(
            "reuseAcrossIterations",
            &FLAG,
            "Whether connections outlive an iteration.",
        )
        .default("true"),
        Key::new(
            "timeout",
            &SOME_DURATION,
            "The longest time of a request, from the first attempt to connect.",
        )
        .default("\"60s\""),
        Key::new(
            "connectTimeout",
            &SOME_DURATION,
            "The longest time of a TCP connect.",
        )
        .default("\"30s\""),
        Key::new(
            "maxRedirects",
            &REDIRECTS,
            "Redirects to follow; 0 for none.",
        )
        .default("10"),
        Key::new(
            "maxBody",
            &BODY_SIZE,
            "The largest response body after decompression.",
        )
        .default("\"64MiB\""),
        Key::new(
            "cookies",
            &FLAG,
            "Whether a VU keeps cookies within an iteration.",
        )
        .default("true"),
        Key::new("acceptEncoding", &ENCODINGS, "The compressions to ask for.").default("[]"),
        Key::new(
            "headers",
            &HEADERS,
            "Headers of each request; a list of values is sent as several headers.",
        ),
        Key::new(
            "userAgent",
            &SENT_TEXT,
            "The User-Agent; floodgate/VERSION unless given.",
        ),
        Key::new("auth", &AUTH_SHAPE, "Credentials of each request."),
        Key::new("insecure", &FLAG, "Skip the verification of certificates.").default("false"),
        Key::new(
            "ca",
            &FILE,
            "PEM file of the authorities to trust instead of the bundled ones.",
        ),
        Key::new(
            "cert",
            &FILE,
            "PEM file of the client's certificate chain; with key.",
        ),
        Key::new(
            "key",
            &FILE,
            "PEM file of the client's private key; with cert.",
        ),
        Key::new(
            "tlsResumption",
            &RESUMPTION,
            "Whose TLS sessions new connections resume: the VU's own, any VU's, nobody's; per-vu unless given, never with keepAlive: false, shared with connections: shared.",
        ),
        Key::new(
            "proxy",
            &PROXY,
            "The proxy for all requests, or none; as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say unless given.",
        ),
        Key::new(
            "hosts",
            &HOSTS,
            "Addresses to connect to in place of what names resolve to; Host and the name in TLS stay.",
        ),
        Key::new(
            "unixSocket",
            &SOCKET,
            "Path of a Unix socket that all connections go to, whatever the URL's host.",
        ),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[
        ("noConnectionReuse", "write keepAlive: false"),
        ("noVUConnectionReuse", "write reuseAcrossIterations: false"),
        ("insecureSkipTLSVerify", "write insecure: true"),
        ("redirects", "write maxRedirects"),
    ],
};

/// `auth:`.
pub(super) static AUTH: Table = Table {
    name: "auth",
    about: "Credentials.",
    keys: &[&[
        Key::new(
            "basic",
            &BASIC_SHAPE,
            "A user's name and password (RFC 7617).",
        ),
        Key::new(
            "digest",
            &BASIC_SHAPE,
            "A user's name and password, by challenge (RFC 7616).",
        ),
        Key::new("bearer", &TEMPLATE, "A token (RFC 6750)."),
    ]],
    one_of: &["basic", "digest", "bearer"],
    at_most_one: &[],
    foreign: &[],
};

/// `auth.basic:`.
pub(super) static BASIC: Table = Table {
    name: "basic",
    about: "A user's name and password.",
    keys: &[&[
        Key::new("username", &TEMPLATE, "The user.").required(),
        Key::new("password", &TEMPLATE, "The password.").required(),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

/// Keys that a step has of its own.
pub(super) const STEP_OPTIONS: &[Key] = &[
    Key::new(
        "auth",
        &AUTH_SHAPE,
        "Credentials instead of the scenario's.",
    ),
    Key::new(
        "timeout",
        &SOME_DURATION,
        "The longest time instead of the scenario's.",
    ),
    Key::new(
        "maxRedirects",
        &REDIRECTS,
        "Redirects to follow instead of the scenario's.",
    ),
];
