//! Ports on loopback for programs that are told a number and bind it a moment later.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::ops::RangeInclusive;

/// How often another number is tried.
const ATTEMPTS: u32 = 100;
/// What Linux hands out by itself unless it is told otherwise (`ip_local_port_range`).
const HANDED_OUT: RangeInclusive<u16> = 32_768..=60_999;

/// A port that `bind` takes now, none of those that the system hands out by itself: whoever asks it for any port, such as a connection, is
/// not given this one before the program has it.
///
/// # Errors
/// What `bind` said last, if it took none of many.
pub fn free<T>(bind: impl Fn(u16) -> io::Result<T>) -> io::Result<u16> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let others = beside(
        &text
            .ok()
            .and_then(|text| range(&text))
            .unwrap_or(HANDED_OUT),
    );
    let span = u64::from(others.end() - others.start()) + 1;
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..ATTEMPTS {
        let offset = RandomState::new().build_hasher().finish() % span;
        let port = others.start() + offset as u16;
        match bind(port) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (low, high) = text.trim().split_once(char::is_whitespace)?;
    Some(low.parse().ok()?..=high.trim().parse().ok()?)
}

/// The larger of the parts below and above a range, without ports that servers like.
fn beside(range: &RangeInclusive<u16>) -> RangeInclusive<u16> {
    const LOWEST: u16 = 10_000;
    let below = LOWEST..=range.start().saturating_sub(1).max(LOWEST);
    let above = range.end().saturating_add(1)..=u16::MAX;
    if below.len() >= above.len() {
        below
    } else {
        above
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn ports_that_are_handed_out_are_left_alone() {
        assert_eq!(beside(&HANDED_OUT), 10_000..=32_767);
        assert_eq!(beside(&(1_024..=50_000)), 50_001..=65_535);
        assert_eq!(range("32768\t60999\n"), Some(HANDED_OUT));
        assert_eq!(range(""), None);
        let port = free(|port| TcpListener::bind(("127.0.0.1", port))).unwrap();
        TcpListener::bind(("127.0.0.1", port)).unwrap();
        let error = free::<()>(|_| Err(io::ErrorKind::PermissionDenied.into())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
