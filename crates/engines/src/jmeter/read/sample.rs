//! One sample of a JTL, of either format.

/// What a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// An HTTP request, or a sampler that made several.
    Http,
    /// Some other sampler.
    Other,
    /// The end of a Transaction Controller.
    Transaction,
}

/// How the response message of a Transaction Controller begins.
pub(super) const TRANSACTION: &[u8] = b"Number of samples in transaction : ";

/// A time above this is none: a year in ms. What is larger is another column or damage.
pub(super) const LONGEST_MS: u64 = 366 * 24 * 3_600 * 1_000;

/// A start above this is none, Unix ms.
pub(super) const LATEST_MS: u64 = crate::read::LATEST_MS as u64;

/// The group of a thread: `Group` of `Group 1-3`. The two numbers are those of the group and of the thread in it.
pub(super) fn group(thread: &[u8]) -> &[u8] {
    // Distributed runs put `host:port-` before; the rest is as elsewhere and part of the name.
    let digits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    let Some(dash) = memchr::memrchr(b'-', thread) else {
        return thread;
    };
    let Some(space) = memchr::memrchr(b' ', &thread[..dash]) else {
        return thread;
    };
    if digits(&thread[dash + 1..]) && digits(&thread[space + 1..dash]) {
        &thread[..space]
    } else {
        thread
    }
}

/// Whether a thread's name is not one of a thread group: sub-results of redirects of embedded resources have none, or that of a
/// download's thread.
pub(super) fn is_orphan(thread: &[u8]) -> bool {
    thread.is_empty() || thread.starts_with(b"ResDownload-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_out_of_the_names_of_threads() {
        let cases = [
            ("Thread Group 1-12", "Thread Group"),
            ("Shop, \"A\" 1 1-2", "Shop, \"A\" 1"),
            ("no numbers", "no numbers"),
            ("a-b", "a-b"),
            ("1-1", "1-1"),
            (" 1-1", ""),
            ("", ""),
        ];
        for (thread, expected) in cases {
            assert_eq!(group(thread.as_bytes()), expected.as_bytes(), "{thread:?}");
        }
    }
}
