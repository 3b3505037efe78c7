//! Ways of connections: proxies, addresses, sockets.

use super::grammar;
use crate::definition::model::{HostOverride, MAX_SOCKET_PATH, ProxyUrl};
use crate::definition::shape::{Grammar, Shape};
use crate::syntax::{SyntaxError, quoted};

/// What `proxy` may be.
pub(in crate::definition::keys) static PROXY: Shape = Shape::Grammar(Grammar {
    pattern: Some("^([Nn][Oo][Nn][Ee]|[Hh][Tt][Tt][Pp]://.+)$"),
    ..grammar(
        |text| match text.eq_ignore_ascii_case("none") {
            true => Ok(()),
            false => ProxyUrl::parse(text).map(drop),
        },
        "none or http://[USER:PASSWORD@]HOST[:PORT]",
    )
});

/// A value of `hosts`.
pub(in crate::definition::keys) static ADDRESS: Shape = Shape::Grammar(Grammar {
    pattern: Some("^[0-9A-Fa-f.:\\[\\]]+$"),
    ..grammar(
        |text| HostOverride::address(text).map(drop),
        "an IP address, with or without a port",
    )
});

/// The path of a Unix socket.
pub(in crate::definition::keys) static SOCKET: Shape = Shape::Grammar(Grammar {
    pattern: Some("^/[^\\x00]{1,106}$"),
    ..grammar(
        |text| match text.starts_with('/') && !text.contains('\0') && text.len() <= MAX_SOCKET_PATH
        {
            true => Ok(()),
            false => Err(
                SyntaxError::new(0, format!("{} is no path of a socket", quoted(text))).allowed(
                    format!("an absolute path of at most {MAX_SOCKET_PATH} bytes"),
                ),
            ),
        },
        "the absolute path of a Unix socket",
    )
});
