//! The machine as it is found.

use floodgate_generator::health::Limits;
use floodgate_generator::limits::TaskLimits;
use rustix::fs::{Access, access, statvfs};
use std::fs;
use std::path::{Path, PathBuf};

/// What a generator depends on. `None` of something that could not be read.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) limits: TaskLimits,
    /// After the soft limit was raised to the hard one, as every command does.
    pub(super) open_files: u64,
    /// The first and the last port of the local range.
    pub(super) ports: Option<(u16, u16)>,
    /// `net.ipv4.tcp_tw_reuse`.
    pub(super) time_wait_reuse: Option<u32>,
    /// What is tracked, and how many may be; `Some(None)` where connections are not tracked.
    pub(super) tracking: Option<Option<(u64, u64)>>,
    pub(super) folder: Folder,
}

/// Where executions are kept.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// As it was named.
    pub(super) named: PathBuf,
    /// Whether it, or the nearest folder above it that there is, may be written.
    pub(super) writable: bool,
    /// Bytes that may be written there.
    pub(super) free: Option<u64>,
}

impl Machine {
    /// Looks around.
    pub(super) fn look(out: &Path) -> Self {
        Self {
            limits: TaskLimits::of_process(),
            open_files: Limits::raise().open_files,
            ports: setting("net/ipv4/ip_local_port_range").and_then(|text| range(&text)),
            time_wait_reuse: setting("net/ipv4/tcp_tw_reuse").and_then(|t| t.trim().parse().ok()),
            tracking: tracking(),
            folder: Folder::look(out),
        }
    }
}

impl Folder {
    fn look(out: &Path) -> Self {
        let full = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
        let there = full.ancestors().find(|folder| folder.exists());
        let there = there.unwrap_or(Path::new("/"));
        let free = statvfs(there).ok();
        Self {
            named: out.to_owned(),
            writable: there.is_dir() && access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok(),
            free: free.map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize)),
        }
    }
}

/// A setting of the kernel by its path below `/proc/sys`.
fn setting(name: &str) -> Option<String> {
    fs::read_to_string(Path::new("/proc/sys").join(name)).ok()
}

/// `32768  60999` (<https://docs.kernel.org/networking/ip-sysctl.html>).
fn range(text: &str) -> Option<(u16, u16)> {
    let mut ends = text.split_whitespace().map(|end| end.parse().ok());
    let (first, last) = (ends.next()??, ends.next()??);
    (first <= last).then_some((first, last))
}

/// The table of connections that a firewall or a bridge keeps (<https://docs.kernel.org/networking/nf_conntrack-sysctl.html>). Where no
/// module keeps one, the kernel has no such settings.
fn tracking() -> Option<Option<(u64, u64)>> {
    if !Path::new("/proc/sys/net").is_dir() {
        return None;
    }
    let number = |name| setting(name)?.trim().parse().ok();
    let most = match number("net/netfilter/nf_conntrack_max") {
        Some(most) => most,
        None if Path::new("/proc/sys/net/netfilter/nf_conntrack_max").exists() => return None,
        None => return Some(None),
    };
    // What there is now may be hidden, in a container as a rule.
    let now = number("net/netfilter/nf_conntrack_count").unwrap_or(0);
    Some(Some((now, most)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_judged_by_the_one_above() {
        let above = tempfile::tempdir().unwrap();
        let folder = Folder::look(&above.path().join("a/b"));
        assert!(folder.writable && folder.free.unwrap() > 0);
        let file = above.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(!Folder::look(&file.join("b")).writable);
    }

    #[test]
    fn a_range_has_both_ends() {
        assert_eq!(range("32768\t60999\n"), Some((32_768, 60_999)));
        assert_eq!(
            (range("60999 32768"), range("1"), range("")),
            (None, None, None)
        );
    }
}
