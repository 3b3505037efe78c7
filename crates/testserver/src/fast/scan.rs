//! Finding the ends of requests that have no bodies.

/// Answer to what is no `GET`.
pub(super) const NOT_ALLOWED: &[u8] =
    b"HTTP/1.1 405 Method Not Allowed\r\nallow: GET\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A client that sends a longer head is not one of a benchmark.
pub(super) const MAX_HEAD_BYTES: usize = 16 << 10;

/// The requests at the start of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// This many whole requests, which end at byte `end`.
    Gets { count: usize, end: usize },
    /// A request that this server does not answer.
    Refused,
}

/// Counts whole `GET` requests. Looks at every fourth byte of a head, as far as there is no line end.
pub(super) fn gets(buffer: &[u8]) -> Scan {
    let (mut count, mut end) = (0, 0);
    while end < buffer.len() {
        let start = &buffer[end..];
        let compared = start.len().min(4);
        if start[..compared] != b"GET "[..compared] {
            return Scan::Refused;
        }
        match head_end(start) {
            Some(length) => {
                count += 1;
                end += length;
            }
            None if start.len() > MAX_HEAD_BYTES => return Scan::Refused,
            None => break,
        }
    }
    Scan::Gets { count, end }
}

/// The length of the head at the start of `buffer`, its empty line included.
fn head_end(buffer: &[u8]) -> Option<usize> {
    // `at` is where the final LF would stand. What stands there says how far away the next candidate is at least.
    let mut at = 3;
    loop {
        at += match buffer.get(at)? {
            b'\n' if buffer[at - 3..at] == *b"\r\n\r" => return Some(at + 1),
            b'\n' => 2,
            b'\r' => 1,
            _ => 4,
        };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_end_of_a_head_wherever_it_stands() {
        for padding in 0..40 {
            let head = format!("GET /{} HTTP/1.1\r\na: b\r\n\r\n", "x".repeat(padding));
            for cut in 0..head.len() {
                assert_eq!(head_end(&head.as_bytes()[..cut]), None, "{padding} {cut}");
                assert_eq!(
                    gets(&head.as_bytes()[..cut]),
                    Scan::Gets { count: 0, end: 0 }
                );
            }
            assert_eq!(head_end(format!("{head}GET").as_bytes()), Some(head.len()));
        }
        assert_eq!(head_end(b"\n\r\n\n\r\r\n\r\n"), Some(9));
    }

    #[test]
    fn counts_pipelined_requests_and_leaves_the_rest() {
        let two = b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HT";
        assert_eq!(gets(two), Scan::Gets { count: 2, end: 36 });
        assert_eq!(gets(b"GET / HTTP/1.1\r\n\r\nPOST"), Scan::Refused);
        assert_eq!(
            gets(&[b"GET ".as_slice(), &[b'x'; MAX_HEAD_BYTES]].concat()),
            Scan::Refused
        );
    }
}
