//! What the cgroups of this process allow: CPU and memory, versions 1 and 2, its own group and all above it.
//!
//! In a container the path in `/proc/self/cgroup` may be the host's, while `/sys/fs/cgroup` shows the container's group as
//! its root. Both are looked at: the folder of the path and each of its parents, as far as they exist.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A limit of version 1 that is none: the largest page-aligned number, or anything near it.
const NO_LIMIT: u64 = 1 << 60;

/// The folders of a process's cgroups, from its own up to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroups {
    cpu: Vec<PathBuf>,
    memory: Vec<PathBuf>,
}

impl Cgroups {
    /// Those of this process.
    pub fn own() -> Self {
        let text = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::parse(&text, Path::new("/sys/fs/cgroup"))
    }

    /// From the text of `/proc/PID/cgroup` (<https://man7.org/linux/man-pages/man7/cgroups.7.html>) and the mount point.
    pub fn parse(text: &str, mount: &Path) -> Self {
        let mut groups = Self::default();
        for line in text.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
                continue;
            };
            let lineage = |root: &Path| -> Vec<PathBuf> {
                let own = root.join(path.trim_start_matches('/'));
                own.ancestors()
                    .take_while(|folder| folder.starts_with(root))
                    .map(Path::to_path_buf)
                    .collect()
            };
            if controllers.is_empty() {
                groups.cpu.extend(lineage(mount));
                groups.memory.extend(lineage(mount));
                continue;
            }
            for controller in controllers.split(',') {
                let folders = match controller {
                    "cpu" => &mut groups.cpu,
                    "memory" => &mut groups.memory,
                    _ => continue,
                };
                // Controllers that are mounted together have one folder with both names, and usually links of one.
                let joint = mount.join(controllers);
                folders.extend(lineage(&if joint.is_dir() {
                    joint
                } else {
                    mount.join(controller)
                }));
            }
        }
        groups
    }

    /// The tightest CPU quota, in CPUs; `None` if there is none.
    pub fn cpu_quota(&self) -> Option<f64> {
        let quota = |group: &PathBuf| {
            let read = |name: &str| fs::read_to_string(group.join(name)).ok();
            match read("cpu.max") {
                Some(text) => parse_cpu_max(&text),
                None => parse_cfs(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?),
            }
        };
        self.cpu.iter().filter_map(quota).min_by(f64::total_cmp)
    }

    /// How often the CPU quota has stopped the process; both versions write it alike.
    pub fn throttled(&self) -> u64 {
        let of = |group: &PathBuf| {
            let text = fs::read_to_string(group.join("cpu.stat")).ok()?;
            text.lines()
                .find_map(|line| line.strip_prefix("nr_throttled ")?.parse::<u64>().ok())
        };
        self.cpu.iter().filter_map(of).max().unwrap_or(0)
    }

    /// The tightest memory limit in bytes; `None` if there is none.
    pub fn memory_limit(&self) -> Option<u64> {
        let limit = |group: &PathBuf| {
            let text = ["memory.max", "memory.limit_in_bytes"]
                .iter()
                .find_map(|name| fs::read_to_string(group.join(name)).ok())?;
            text.trim()
                .parse::<u64>()
                .ok()
                .filter(|bytes| *bytes < NO_LIMIT)
        };
        self.memory.iter().filter_map(limit).min()
    }
}

/// Bytes of memory that this process may use: the smaller of its cgroups' limit and the machine's memory. Read once.
pub fn memory_limit() -> Option<u64> {
    static LIMIT: OnceLock<Option<u64>> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let machine = fs::read_to_string("/proc/meminfo").ok();
        let machine = machine.and_then(|text| parse_mem_total(&text));
        let group = Cgroups::own().memory_limit();
        [machine, group].into_iter().flatten().min()
    })
}

/// `cpu.max`: quota and period in µs (<https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files>).
fn parse_cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    parse_cfs(quota, period)
}

/// Quota and period in µs; a quota of -1 is none (<https://docs.kernel.org/scheduler/sched-bwc.html>).
fn parse_cfs(quota: &str, period: &str) -> Option<f64> {
    let (quota, period): (f64, f64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
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

    fn file(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_tightest_group_of_version_2_counts() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        file(root, "a/b/cpu.max", "max 100000\n");
        file(root, "a/cpu.max", "150000 100000\n");
        file(root, "a/b/memory.max", "max\n");
        file(root, "a/memory.max", "536870912\n");
        file(root, "a/b/cpu.stat", "usage_usec 5\nnr_throttled 7\n");
        let groups = Cgroups::parse("0::/a/b\n", root);
        assert_eq!(groups.cpu_quota(), Some(1.5));
        assert_eq!(groups.memory_limit(), Some(512 << 20));
        assert_eq!(groups.throttled(), 7);
    }

    #[test]
    fn version_1_is_read_below_its_controllers() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        file(root, "cpu,cpuacct/cpu.cfs_quota_us", "50000\n");
        file(root, "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
        file(
            root,
            "cpu,cpuacct/cpu.stat",
            "nr_periods 9\nnr_throttled 3\n",
        );
        file(root, "memory/memory.limit_in_bytes", "1073741824\n");
        file(
            root,
            "memory/docker/x/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        let text = "12:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x\n0::/\n";
        let groups = Cgroups::parse(text, root);
        assert_eq!(groups.cpu_quota(), Some(0.5));
        assert_eq!(groups.memory_limit(), Some(1 << 30));
        assert_eq!(groups.throttled(), 3);
    }

    #[test]
    fn no_quota_is_no_quota() {
        assert_eq!(parse_cpu_max("max 100000\n"), None);
        assert_eq!(parse_cpu_max("1 0"), None);
        assert_eq!(parse_cfs("-1\n", "100000\n"), None);
        let groups = Cgroups::parse("garbage\n", Path::new("/nonexistent"));
        assert_eq!((groups.cpu_quota(), groups.memory_limit()), (None, None));
    }

    #[test]
    fn the_machines_memory_bounds_it() {
        assert_eq!(
            parse_mem_total("MemTotal:  2048 kB\nMemFree: 1 kB\n"),
            Some(2 << 20)
        );
        assert!(memory_limit().unwrap() > 1 << 20);
    }
}
