//! From what the operating system, rustls and h2 say to the closed list of error codes.

use super::chunked::ChunkError;
use crate::exchange::ErrorCode;
use rustix::io::Errno;
use std::io;

impl From<ChunkError> for ErrorCode {
    fn from(_: ChunkError) -> Self {
        Self::Protocol
    }
}

/// What ran out is the generator's: descriptors, ports, memory for sockets.
fn is_exhaustion(error: &io::Error) -> bool {
    const OURS: [Errno; 5] = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::ADDRNOTAVAIL,
        Errno::NOBUFS,
        Errno::NOMEM,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| OURS.iter().any(|errno| errno.raw_os_error() == code))
}

/// A connect that failed.
pub(super) fn of_connect(error: &io::Error) -> ErrorCode {
    match error.kind() {
        _ if is_exhaustion(error) => ErrorCode::GeneratorExhausted,
        io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            ErrorCode::ConnectionReset
        }
        io::ErrorKind::TimedOut => ErrorCode::ConnectTimeout,
        _ => ErrorCode::Unreachable,
    }
}

/// A name lookup that failed.
pub(super) fn of_lookup(error: &io::Error) -> ErrorCode {
    if is_exhaustion(error) {
        ErrorCode::GeneratorExhausted
    } else {
        ErrorCode::Dns
    }
}

/// A TLS handshake that failed.
pub(super) fn of_handshake(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => ErrorCode::ConnectionReset,
        _ => of_rustls(error).unwrap_or(ErrorCode::Tls),
    }
}

/// A read or write on a connection that failed.
pub(super) fn of_io(error: &io::Error) -> ErrorCode {
    if is_exhaustion(error) {
        return ErrorCode::GeneratorExhausted;
    }
    match error.kind() {
        // also a TLS connection that ends without its close_notify
        io::ErrorKind::UnexpectedEof | io::ErrorKind::WriteZero => ErrorCode::ConnectionClosed,
        io::ErrorKind::TimedOut => ErrorCode::Timeout,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => ErrorCode::Unreachable,
        _ => of_rustls(error).unwrap_or(ErrorCode::ConnectionReset),
    }
}

fn of_rustls(error: &io::Error) -> Option<ErrorCode> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            ErrorCode::TlsCertificate
        }
        _ => ErrorCode::Tls,
    })
}

/// What h2 says when it gives up a head, however large it would become.
const TOO_LARGE: [&str; 2] = ["too_many_continuations", "header_list_way_too_large"];

/// An HTTP/2 connection or stream that failed.
pub(super) fn of_h2(error: &h2::Error) -> ErrorCode {
    if let Some(error) = error.get_io() {
        return of_io(error);
    }
    match error.reason() {
        Some(h2::Reason::NO_ERROR) => ErrorCode::ConnectionClosed,
        // the peer gave up a stream or all of them; what we find wrong with its frames is its protocol error
        Some(
            h2::Reason::REFUSED_STREAM
            | h2::Reason::CANCEL
            | h2::Reason::INTERNAL_ERROR
            | h2::Reason::ENHANCE_YOUR_CALM,
        ) if error.is_remote() => ErrorCode::ConnectionReset,
        Some(h2::Reason::ENHANCE_YOUR_CALM) if says(error, &TOO_LARGE) => {
            ErrorCode::HeadersTooLarge
        }
        _ => ErrorCode::Protocol,
    }
}

/// h2 tells some faults apart by their text alone.
fn says(error: &h2::Error, texts: &[&str]) -> bool {
    let shown = error.to_string();
    texts.iter().any(|text| shown.contains(text))
}

/// Whether the peer says that it has not looked at the request (RFC 9113 §8.7). h2 hands a GOAWAY to those streams alone
/// that are above its last one, and to requests that come after it: whatever its code, they were not looked at.
pub(super) fn is_unprocessed(error: &h2::Error) -> bool {
    error.is_remote() && (error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_out_here_is_not_the_targets_fault() {
        for errno in [
            Errno::MFILE,
            Errno::NFILE,
            Errno::ADDRNOTAVAIL,
            Errno::NOBUFS,
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(of_connect(&error), ErrorCode::GeneratorExhausted);
            assert_eq!(of_io(&error), ErrorCode::GeneratorExhausted);
            assert_eq!(of_lookup(&error), ErrorCode::GeneratorExhausted);
        }
    }

    #[test]
    fn the_operating_systems_errors_have_their_codes() {
        let connect =
            |errno: Errno| of_connect(&io::Error::from_raw_os_error(errno.raw_os_error()));
        assert_eq!(connect(Errno::CONNREFUSED), ErrorCode::ConnectionRefused);
        assert_eq!(connect(Errno::TIMEDOUT), ErrorCode::ConnectTimeout);
        assert_eq!(connect(Errno::NETUNREACH), ErrorCode::Unreachable);
        assert_eq!(connect(Errno::HOSTUNREACH), ErrorCode::Unreachable);
        let io = |errno: Errno| of_io(&io::Error::from_raw_os_error(errno.raw_os_error()));
        assert_eq!(io(Errno::CONNRESET), ErrorCode::ConnectionReset);
        assert_eq!(io(Errno::PIPE), ErrorCode::ConnectionReset);
        assert_eq!(io(Errno::TIMEDOUT), ErrorCode::Timeout);
        assert_eq!(io(Errno::HOSTUNREACH), ErrorCode::Unreachable);
    }
}
