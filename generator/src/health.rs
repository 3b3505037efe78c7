//! How the generator itself fares: CPU against what its cgroup and affinity allow, open files, ports.
//!
//! A load generator that has no CPU left measures itself. Its figures go into the manifest, and the verdict on them.

use crate::cgroup::Cgroups;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::Instant;

/// CPU use past this share counts a second as saturated: what is left cannot absorb a burst of one batch of events.
pub const SATURATED: f64 = 0.9;

/// Files that a generator needs beside its connections: runtime, timers, shards, logs.
const OTHER_FILES: u64 = 64;

/// CPUs that this process may use: the smaller of its affinity and its cgroup's quota, which may be a fraction.
pub fn allowed_cpus() -> f64 {
    let affinity = std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
    Cgroups::own()
        .cpu_quota()
        .map_or(affinity, |quota| quota.min(affinity))
}

/// One second's CPU use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuUse {
    /// As a share of what the process can use, in [0, 1] but for the clock's jitter.
    pub share: f64,
    /// Whether the cgroup throttled the process in this time.
    pub throttled: bool,
}

/// Measures CPU use between two looks.
#[derive(Debug)]
pub struct CpuMeter {
    usable: f64,
    groups: Cgroups,
    at: Instant,
    cpu_ns: i64,
    throttled: u64,
}

impl CpuMeter {
    /// A meter of a process that can use `usable` CPUs: no more than it is allowed, and no more than it has threads that
    /// work.
    pub fn new(usable: f64) -> Self {
        let groups = Cgroups::own();
        Self {
            usable: usable.max(0.01),
            at: Instant::now(),
            cpu_ns: cpu_ns(),
            throttled: groups.throttled(),
            groups,
        }
    }

    /// Use since the last look.
    pub fn measure(&mut self) -> CpuUse {
        let (now, cpu_ns, throttled) = (Instant::now(), cpu_ns(), self.groups.throttled());
        let elapsed = now.duration_since(self.at).as_nanos() as f64;
        let share = if elapsed > 0.0 {
            (cpu_ns - self.cpu_ns) as f64 / elapsed / self.usable
        } else {
            0.0
        };
        let use_ = CpuUse {
            share: share.clamp(0.0, 1.0),
            throttled: throttled > self.throttled,
        };
        (self.at, self.cpu_ns, self.throttled) = (now, cpu_ns, throttled);
        use_
    }
}

fn cpu_ns() -> i64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Memory of a generator with no VU: the program, its runtimes, encoding a shard.
const BASE_BYTES: u64 = 64 << 20;
/// What a VU may need at most in an ordinary test: 5 KiB over plain HTTP/1.1 (`docs/benchmarks.md`), up to 18 KiB of a TLS
/// record in each direction, the session, a request's row and variables.
const VU_BYTES: u64 = 64 << 10;
/// What a worker thread may need: its runtime's stacks, its receive buffer, two windows of 2,000 series.
const WORKER_BYTES: u64 = 32 << 20;

/// Worker threads for which half of the memory suffices; at least one.
pub fn workers_in(memory: u64) -> usize {
    usize::try_from(memory.saturating_sub(BASE_BYTES) / 2 / WORKER_BYTES)
        .unwrap_or(usize::MAX)
        .max(1)
}

/// What is wrong with so many VUs in so much memory.
pub fn memory_warning(memory: u64, vus: u64) -> Option<String> {
    let needed = vus.saturating_mul(VU_BYTES).saturating_add(BASE_BYTES);
    (needed > memory).then(|| {
        let (needed, has) = (needed >> 20, memory >> 20);
        format!("{vus} VUs may need {needed} MiB of memory, the limit is {has} MiB: raise run.memory, or use more generators")
    })
}

/// Largest resident set of this process in bytes.
pub fn peak_rss_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| {
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<u64>()
            .ok()
    })
    .unwrap_or(0)
        * 1_024
}

/// Limits on connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open files, after the soft limit was raised to the hard one.
    pub open_files: u64,
    /// Ports of the local range: connections at the same time to one address and port of a target.
    pub local_ports: u64,
}

impl Limits {
    /// Raises the soft limit of open files to the hard one and reads what there is.
    pub fn raise() -> Self {
        let now = getrlimit(Resource::Nofile);
        if now.current != now.maximum {
            // Not being allowed to is not an error: the limit that remains is reported.
            let _ = setrlimit(
                Resource::Nofile,
                Rlimit {
                    current: now.maximum,
                    maximum: now.maximum,
                },
            );
        }
        let open_files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let range =
            fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
        Self {
            open_files,
            local_ports: parse_port_range(&range).unwrap_or(28_232),
        }
    }

    /// What will not do for so many VUs, each with a connection of its own.
    pub fn warnings(&self, vus: u64) -> Vec<String> {
        let mut warnings = Vec::new();
        let needed = vus + OTHER_FILES;
        if needed > self.open_files {
            warnings.push(format!(
                "{vus} VUs need {needed} open files, the limit is {}: raise it with `ulimit -n {needed}`, or use more generators",
                self.open_files
            ));
        }
        if vus > self.local_ports {
            warnings.push(format!(
                "{vus} VUs need as many local ports, there are {}: widen net.ipv4.ip_local_port_range, or use more generators",
                self.local_ports
            ));
        }
        warnings
    }
}

fn parse_port_range(text: &str) -> Option<u64> {
    let mut ends = text.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some(last.checked_sub(first)? + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_port_range_counts_both_ends() {
        assert_eq!(parse_port_range("32768\t60999\n"), Some(28_232));
        assert_eq!(parse_port_range("9 1"), None);
    }

    #[test]
    fn limits_name_what_is_short_and_by_how_much() {
        let limits = Limits {
            open_files: 1_024,
            local_ports: 28_232,
        };
        assert!(limits.warnings(900).is_empty());
        assert_eq!(limits.warnings(1_000).len(), 1);
        let both = limits.warnings(30_000);
        assert!(
            both[0].contains("30064") && both[0].contains("1024"),
            "{both:?}"
        );
        assert!(both[1].contains("28232"), "{both:?}");
    }

    #[test]
    fn memory_bounds_workers_and_is_held_against_the_vus() {
        assert_eq!(workers_in(0), 1);
        assert_eq!(workers_in(512 << 20), 7);
        assert_eq!(memory_warning(512 << 20, 7_000), None);
        let short = memory_warning(512 << 20, 10_000).unwrap();
        assert!(
            short.contains("689 MiB") && short.contains("512 MiB"),
            "{short}"
        );
    }

    #[test]
    fn a_busy_thread_is_seen() {
        let mut meter = CpuMeter::new(1.0);
        let start = Instant::now();
        while cpu_ns() - meter.cpu_ns < 30_000_000 && start.elapsed().as_secs() < 10 {
            std::hint::spin_loop();
        }
        let elapsed = meter.at.elapsed().as_secs_f64();
        let used = meter.measure();
        assert!(
            used.share > 0.0 && used.share * elapsed >= 0.029_f64.min(elapsed),
            "{used:?} in {elapsed} s"
        );
    }
}
