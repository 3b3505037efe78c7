//! What a task may use of CPU and memory: the tightest of all limits that anything knows of, and whose it is.
//!
//! ECS limits the cgroup of the *task*, which its containers cannot see: they find no quota, all of the host's memory, and on Fargate
//! two processors for one vCPU and less. The task's metadata and the run's own request name the limits there. A limit that is seen
//! is never loosened by one that is told.

use crate::cgroup::{Cgroups, Host};
use floodgate_records::manifest::{GeneratorLimits, Health, LimitSource};
use std::fs;

/// Limits that somebody names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Named {
    /// In CPUs; may be a fraction.
    pub cpus: Option<f64>,
    /// In bytes.
    pub memory: Option<u64>,
}

impl Named {
    /// In vCPUs and MiB, as ECS has them. What is not a positive number is not a limit.
    pub fn of(vcpus: Option<f64>, mib: Option<f64>) -> Self {
        let real = |number: f64| number.is_finite() && number > 0.0;
        Self {
            cpus: vcpus.filter(|vcpus| real(*vcpus)),
            memory: mib
                .filter(|mib| real(*mib) && *mib < (1_u64 << 40) as f64)
                .map(|mib| (mib * f64::from(1 << 20)) as u64),
        }
    }
}

/// What a task may use, and who says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskLimits {
    /// CPUs; may be a fraction.
    pub cpus: f64,
    /// Whose limit of CPUs is the tightest.
    pub cpus_from: LimitSource,
    /// Bytes of memory; `None` where nothing tells, not even the machine.
    pub memory: Option<u64>,
    /// Whose limit of memory is the tightest.
    pub memory_from: LimitSource,
    /// Whether something limits its CPU that it neither sees nor was told.
    pub blind: bool,
}

impl TaskLimits {
    /// Those of a process that nobody tells anything.
    pub fn of_process() -> Self {
        Self::seen(&Host::default())
    }

    /// What a process sees of its own limits on a machine.
    pub fn seen(host: &Host) -> Self {
        let groups = Cgroups::of(host);
        let machine = fs::read_to_string(host.proc.join("meminfo")).ok();
        let machine = Self {
            cpus: affinity(host),
            cpus_from: LimitSource::Machine,
            memory: machine.and_then(|text| parse_mem_total(&text)),
            memory_from: LimitSource::Machine,
            blind: false,
        };
        let group = Named {
            cpus: groups.cpu_quota(),
            memory: groups.memory_limit(),
        };
        machine.and(group, LimitSource::Cgroup)
    }

    /// These and those, the tighter of each. Of two that are equal, the one that was there first has set it, but that a quota goes
    /// before the machine's size: nobody else can use it up.
    #[must_use]
    pub fn and(mut self, named: Named, by: LimitSource) -> Self {
        if let Some(cpus) = named.cpus
            && (cpus < self.cpus || (cpus <= self.cpus && !self.cpus_from.is_quota()))
        {
            (self.cpus, self.cpus_from) = (cpus, by);
        }
        if let Some(memory) = named.memory
            && self.memory.is_none_or(|known| memory < known)
        {
            (self.memory, self.memory_from) = (Some(memory), by);
        }
        self
    }

    /// The account of a generator that begins, whose threads can use so many CPUs.
    pub fn health(&self, usable_cpus: f64) -> Health {
        Health {
            limits: GeneratorLimits {
                cpus: usable_cpus,
                cpus_from: Some(self.cpus_from),
                memory_bytes: self.memory,
                memory_from: self.memory.map(|_| self.memory_from),
            },
            blind: self.blind,
            ..Health::default()
        }
    }
}

/// CPUs that a process may run on, from `/proc/self/status`. The standard library's figure has the cgroup's quota in it, rounded down
/// to whole CPUs.
fn affinity(host: &Host) -> f64 {
    let status = fs::read_to_string(host.proc.join("self/status")).unwrap_or_default();
    parse_affinity(&status).map_or_else(
        || std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64),
        f64::from,
    )
}

/// How many CPUs a list such as `0-3,8` has (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
fn parse_affinity(status: &str) -> Option<u32> {
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let sizes = list.trim().split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        Some(last.checked_sub(first)? + 1)
    });
    sizes.sum()
}

fn parse_mem_total(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cgroup::tests::file;
    use LimitSource::{Cgroup, Machine, Requested, TaskMetadata};

    const GIB: u64 = 1 << 30;

    /// A container of ECS on a machine of two CPUs and 8 GiB: neither version shows a limit.
    fn ecs() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        file(at, "proc/meminfo", "MemTotal:  8388608 kB\n");
        file(at, "proc/self/cgroup", "0::/\n");
        file(
            at,
            "proc/self/status",
            "Name:\tx\nCpus_allowed_list:\t0,3\n",
        );
        file(at, "cgroup/cpu.max", "max 100000\n");
        file(at, "cgroup/memory.max", "max\n");
        root
    }

    fn host(root: &tempfile::TempDir) -> Host {
        Host {
            proc: root.path().join("proc"),
            cgroup: root.path().join("cgroup"),
        }
    }

    #[test]
    fn a_task_of_ecs_takes_its_limits_from_where_they_stand() {
        let root = ecs();
        let seen = TaskLimits::seen(&host(&root));
        assert_eq!((seen.cpus, seen.cpus_from), (2.0, Machine));
        assert_eq!((seen.memory, seen.memory_from), (Some(8 * GIB), Machine));
        let told = Named::of(Some(0.25), Some(512.0));
        let task = seen.and(told, TaskMetadata);
        assert_eq!((task.cpus, task.cpus_from), (0.25, TaskMetadata));
        let memory = (task.memory, task.memory_from);
        assert_eq!(memory, (Some(GIB / 2), TaskMetadata));
        // What is asked for is the same, as a rule; where it is less, it counts.
        let asked = task.and(told, Requested);
        assert_eq!(asked, task);
        let less = task.and(Named::of(Some(0.125), None), Requested);
        assert_eq!((less.cpus, less.cpus_from), (0.125, Requested));
    }

    #[test]
    fn a_limit_that_is_seen_is_not_loosened() {
        let root = ecs();
        file(root.path(), "cgroup/cpu.max", "50000 100000\n");
        file(root.path(), "cgroup/memory.max", "1073741824\n");
        let seen = TaskLimits::seen(&host(&root));
        let task = seen.and(Named::of(Some(4.0), Some(30_720.0)), TaskMetadata);
        assert_eq!((task.cpus, task.cpus_from), (0.5, Cgroup));
        assert_eq!((task.memory, task.memory_from), (Some(GIB), Cgroup));
    }

    #[test]
    fn a_quota_of_all_cpus_is_one_all_the_same() {
        let seen = TaskLimits::seen(&host(&ecs()));
        let task = seen.and(Named::of(Some(2.0), None), TaskMetadata);
        assert_eq!((task.cpus, task.cpus_from), (2.0, TaskMetadata));
        let fewer = seen.and(Named::of(Some(4.0), None), TaskMetadata);
        assert_eq!((fewer.cpus, fewer.cpus_from), (2.0, Machine));
    }

    #[test]
    fn what_is_no_number_is_no_limit() {
        for nothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Named::of(Some(nothing), Some(nothing)), Named::default());
        }
    }

    #[test]
    fn affinity_is_the_number_of_cpus_of_a_list() {
        let of = |list| parse_affinity(&format!("Cpus_allowed:\tf\nCpus_allowed_list:\t{list}\n"));
        assert_eq!((of("0"), of("0-3,8,10-11")), (Some(1), Some(7)));
        assert_eq!((of("3-1"), of("")), (None, None));
    }

    #[test]
    fn the_machines_memory_bounds_it() {
        assert_eq!(
            parse_mem_total("MemTotal:  2048 kB\nMemFree: 1 kB\n"),
            Some(2 << 20)
        );
        let own = TaskLimits::of_process();
        assert!(own.memory.unwrap() > 1 << 20 && own.cpus > 0.0, "{own:?}");
        assert!(!own.blind);
    }
}
