//! How the generator itself fares: CPU against what its cgroup and affinity allow, open files, ports.
//!
//! A load generator that has no CPU left measures itself. Its figures go into the manifest, and the verdict on them.

use crate::cgroup::{Cgroups, Host};
use floodgate_core::verdict::SATURATED_CPU;
use floodgate_records::manifest::Health;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::{Duration, Instant};

/// Files that a generator needs beside its connections: runtime, timers, shards, logs.
const OTHER_FILES: u64 = 64;

/// The share of a second in which something waits for a CPU, from which on the second counts as contended. Threads that take turns
/// wait for moments; half of the time is a queue.
const CONTENDED: f64 = 0.5;
/// The share of the CPU that was wanted, from which on a hypervisor has taken enough to be told: what is left below saturation.
const STOLEN: f64 = 0.1;

/// One second's CPU use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CpuUse {
    /// As a share of what the process can use, in [0, 1]. What a hypervisor took of it counts as used: it was wanted.
    pub share: f64,
    /// Whether the cgroup throttled the process in this time.
    pub throttled: bool,
    /// The share of the time in which something waited for a CPU; `None` where the kernel does not tell.
    pub contended: Option<f64>,
    /// The share of the wanted CPU that a hypervisor took.
    pub stolen: f64,
}

/// Whose CPU time a meter reads.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// This process's own.
    Own,
    /// This process's and another's, which counts in ticks of the kernel: both live on one limit.
    And(ProcessCpu),
}

impl Clock {
    /// In ns; `None` when the other process has ended.
    fn total_ns(self) -> Option<i64> {
        match self {
            Self::Own => Some(cpu_ns()),
            Self::And(process) => Some(process.total_ns()? + cpu_ns()),
        }
    }

    /// Below it a difference of two looks says nothing.
    const fn shortest(self) -> Duration {
        match self {
            Self::Own => Duration::ZERO,
            Self::And(_) => Duration::from_millis(1),
        }
    }
}

/// Counters that only grow.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    cpu_ns: i64,
    throttled: u64,
    pressure_us: Option<u64>,
    machine: MachineCpu,
}

/// Measures CPU use between two looks.
#[derive(Debug)]
pub struct CpuMeter {
    clock: Clock,
    usable: f64,
    groups: Cgroups,
    host: Host,
    last: Reading,
}

impl CpuMeter {
    /// A meter of this process, which can use `usable` CPUs: no more than it is allowed, and no more than it has threads that
    /// work.
    pub fn new(usable: f64) -> Self {
        Self::reading(Clock::Own, usable)
    }

    /// A meter of this process and an engine that it has started, which share `usable` CPUs.
    pub fn with(engine: ProcessCpu, usable: f64) -> Self {
        Self::reading(Clock::And(engine), usable)
    }

    fn reading(clock: Clock, usable: f64) -> Self {
        let (host, groups) = (Host::default(), Cgroups::own());
        Self {
            last: Reading::take(&groups, &host, clock.total_ns().unwrap_or(0)),
            clock,
            usable: usable.max(0.01),
            groups,
            host,
        }
    }

    /// Use since the last look; `None` if the process has ended, or if the last look was a moment ago.
    pub fn measure(&mut self) -> Option<CpuUse> {
        let now = Reading::take(&self.groups, &self.host, self.clock.total_ns()?);
        if now.at.duration_since(self.last.at) < self.clock.shortest() {
            return None;
        }
        let used = now.since(&self.last, self.usable);
        self.last = now;
        Some(used)
    }
}

impl Reading {
    fn take(groups: &Cgroups, host: &Host, cpu_ns: i64) -> Self {
        let stat = fs::read_to_string(host.proc.join("stat")).unwrap_or_default();
        Self {
            at: Instant::now(),
            cpu_ns,
            throttled: groups.throttled(),
            pressure_us: groups.pressure_us(&host.proc),
            machine: MachineCpu::parse(&stat).unwrap_or_default(),
        }
    }

    /// What was used between another reading and this one, of so many CPUs.
    fn since(&self, last: &Self, usable: f64) -> CpuUse {
        let elapsed = self.at.duration_since(last.at);
        let (used, stolen) = if elapsed.is_zero() {
            (0.0, 0.0)
        } else {
            let used = (self.cpu_ns - last.cpu_ns) as f64 / elapsed.as_nanos() as f64;
            (used, self.machine.stolen_since(last.machine))
        };
        let waited = self.pressure_us.zip(last.pressure_us);
        let waited = waited.map(|(now, then)| now.saturating_sub(then) as f64);
        CpuUse {
            share: (used / (1.0 - stolen) / usable).clamp(0.0, 1.0),
            throttled: self.throttled > last.throttled,
            contended: waited.map(|us| (us / elapsed.as_micros().max(1) as f64).min(1.0)),
            stolen,
        }
    }
}

/// What the machine's CPUs have done, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct MachineCpu {
    busy: u64,
    /// Wanted, and given to others by a hypervisor.
    steal: u64,
}

impl MachineCpu {
    /// The first line of `/proc/stat` (<https://man7.org/linux/man-pages/man5/proc_stat.5.html>): user, nice, system, idle, iowait, irq,
    /// softirq, steal; guests are in user.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line
            .split_whitespace()
            .map_while(|field| field.parse().ok())
            .collect();
        let busy = [0, 1, 2, 5, 6].into_iter().map(|i| ticks.get(i).copied());
        Some(Self {
            busy: busy.sum::<Option<u64>>()?,
            steal: *ticks.get(7)?,
        })
    }

    /// The share of the wanted time that was taken since, in [0, 1); of a process, as long as a hypervisor takes from all alike.
    fn stolen_since(self, last: Self) -> f64 {
        let steal = self.steal.saturating_sub(last.steal) as f64;
        let wanted = self.busy.saturating_sub(last.busy) as f64 + steal;
        // A tick or two of a machine that hardly did anything say nothing.
        if steal < 3.0 {
            return 0.0;
        }
        (steal / wanted).min(0.99)
    }
}

/// Adds one more second to the account of a generator's CPU.
pub fn count_second(health: &mut Health, used: CpuUse) {
    health.measured_seconds += 1;
    health.saturated_seconds += u64::from(used.share > SATURATED_CPU);
    health.throttled_seconds += u64::from(used.throttled);
    health.stolen_seconds += u64::from(used.stolen > STOLEN);
    if let Some(contended) = used.contended {
        *health.contended_seconds.get_or_insert(0) += u64::from(contended > CONTENDED);
    }
    health.cpu_max = health.cpu_max.max(used.share);
    health.cpu_mean += (used.share - health.cpu_mean) / health.measured_seconds as f64;
}

fn cpu_ns() -> i64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// CPU time of a process and of those of its children that have ended.
#[derive(Clone, Copy, Debug)]
pub struct ProcessCpu {
    pid: i32,
}

impl ProcessCpu {
    /// Of the process with this id.
    pub const fn of(pid: i32) -> Self {
        Self { pid }
    }

    /// In ns; `None` when it has ended.
    pub fn total_ns(self) -> Option<i64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let ticks = cpu_ticks(&stat)?;
        let a_second = i64::try_from(rustix::param::clock_ticks_per_second()).ok()?;
        Some(ticks.saturating_mul(1_000_000_000) / a_second.max(1))
    }
}

/// utime + stime + cutime + cstime (<https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>: fields 14 to 17). The name
/// before them may hold anything but is in parentheses.
fn cpu_ticks(stat: &str) -> Option<i64> {
    let after = stat.rsplit_once(')')?.1;
    let fields = after.split_whitespace().skip(11).take(4);
    let ticks: Option<Vec<i64>> = fields.map(|field| field.parse().ok()).collect();
    ticks
        .filter(|ticks| ticks.len() == 4)
        .map(|ticks| ticks.iter().sum())
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
        while cpu_ns() - meter.last.cpu_ns < 30_000_000 && start.elapsed().as_secs() < 10 {
            std::hint::spin_loop();
        }
        let elapsed = meter.last.at.elapsed().as_secs_f64();
        let used = meter.measure().unwrap();
        assert!(
            used.share > 0.0 && used.share * elapsed >= 0.029_f64.min(elapsed),
            "{used:?} in {elapsed} s"
        );
    }

    #[test]
    fn ticks_are_read_past_any_name() {
        let stat = "7 (a) b 1 2) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0";
        assert_eq!(cpu_ticks(stat), Some(11 + 12 + 13 + 14));
        assert_eq!(cpu_ticks("7 (x) S 1"), None);
    }

    #[test]
    fn the_mean_is_that_of_all_seconds() {
        let mut health = Health::default();
        for (share, throttled) in [(0.25, false), (1.0, true), (0.25, false)] {
            let used = CpuUse {
                share,
                throttled,
                ..CpuUse::default()
            };
            count_second(&mut health, used);
        }
        assert_eq!(health.contended_seconds, None, "nothing tells");
        assert!((health.cpu_mean - 0.5).abs() < 1e-12, "{health:?}");
        assert_eq!((health.measured_seconds, health.saturated_seconds), (3, 1));
        assert_eq!((health.throttled_seconds, health.cpu_max), (1, 1.0));
    }

    fn reading(cpu_ms: i64, pressure_us: Option<u64>, busy: u64, steal: u64) -> Reading {
        Reading {
            at: Instant::now(),
            cpu_ns: cpu_ms * 1_000_000,
            throttled: 0,
            pressure_us,
            machine: MachineCpu { busy, steal },
        }
    }

    /// A quarter of a CPU, whatever else the machine has: what an invisible quota left is all that there was.
    #[test]
    fn use_is_a_share_of_the_limit_and_what_was_stolen_was_wanted() {
        let last = reading(0, Some(0), 0, 0);
        let after = |now: Reading| Reading {
            at: last.at + Duration::from_secs(1),
            ..now
        };
        let full = after(reading(250, Some(600_000), 25, 0)).since(&last, 0.25);
        assert!((full.share - 1.0).abs() < 1e-9, "{full:?}");
        assert!((full.contended.unwrap() - 0.6).abs() < 1e-9);
        let robbed = after(reading(500, None, 50, 50)).since(&last, 1.0);
        assert!((robbed.share - 1.0).abs() < 1e-9, "{robbed:?}");
        assert_eq!((robbed.stolen, robbed.contended), (0.5, None));
        let idle = after(reading(10, Some(0), 1, 2)).since(&last, 1.0);
        assert_eq!((idle.share, idle.stolen), (0.01, 0.0));
        let mut health = Health::default();
        for used in [full, robbed, idle] {
            count_second(&mut health, used);
        }
        assert_eq!((health.saturated_seconds, health.stolen_seconds), (2, 1));
        assert_eq!(health.contended_seconds, Some(1));
    }

    #[test]
    fn steal_is_read_beside_what_the_machine_did() {
        let stat = "cpu  10 1 5 900 7 2 3 44 0 0\ncpu0 1 1 1 1\nintr 5\n";
        let of = MachineCpu {
            busy: 21,
            steal: 44,
        };
        assert_eq!(MachineCpu::parse(stat), Some(of));
        // Before Linux 2.6.11 there was no steal.
        assert_eq!(MachineCpu::parse("cpu  10 1 5 900 7 2 3\n"), None);
        assert_eq!(MachineCpu::parse(""), None);
    }
}
