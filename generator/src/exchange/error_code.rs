//! What can go wrong with an exchange.

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// The closed list of what can go wrong with an exchange; the values of the tag `error_code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ErrorCode { $($(#[$doc])* $variant,)* }
        impl ErrorCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The tag's value.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $name,)* } }
        }
    };
}

error_codes! {
    /// The name does not resolve.
    Dns = "dns";
    /// Nothing listens there.
    ConnectionRefused = "connection_refused";
    /// No connection within the connect time-out.
    ConnectTimeout = "connect_timeout";
    /// No route, network down and the like.
    Unreachable = "unreachable";
    /// The generator has no free port or file descriptor: its fault, not the target's.
    GeneratorExhausted = "generator_exhausted";
    /// The project, or its place in the cloud, does not allow load there.
    TargetForbidden = "target_forbidden";
    /// The peer reset the connection.
    ConnectionReset = "connection_reset";
    /// The peer closed before or within the response.
    ConnectionClosed = "connection_closed";
    /// The request's time-out passed.
    Timeout = "timeout";
    /// The TLS handshake or a record failed.
    Tls = "tls";
    /// The peer's certificate is not trusted, expired or of another name.
    TlsCertificate = "tls_certificate";
    /// The proxy cannot be reached, or makes no tunnel.
    Proxy = "proxy";
    /// What came is not HTTP: status line, headers, chunking, content length, HTTP/2 framing.
    Protocol = "protocol";
    /// The headers are larger than the bound.
    HeadersTooLarge = "headers_too_large";
    /// The body is larger than the bound.
    BodyTooLarge = "body_too_large";
    /// The body does not decompress.
    Decompression = "decompression";
    /// More redirects than allowed.
    TooManyRedirects = "too_many_redirects";
    /// A URL that a template or a redirect made is not valid.
    BadUrl = "bad_url";
    /// A header value that a template made holds a line break or another control character.
    BadHeader = "bad_header";
    /// The iteration was interrupted at the end of its graceful stop while the exchange was under way.
    Interrupted = "interrupted";
}
