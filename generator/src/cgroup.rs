//! What the cgroups of this process allow: CPU and memory, versions 1 and 2, its own group and all above it.
//!
//! In a container the path in `/proc/self/cgroup` may be the host's, while `/sys/fs/cgroup` shows the container's group as
//! its root. Both are looked at: the folder of the path and each of its parents, as far as they exist.

use std::fs;
use std::path::{Path, PathBuf};

/// A limit of version 1 that is none: the largest page-aligned number, or anything near it.
const NO_LIMIT: u64 = 1 << 60;

/// Where a machine shows what it has; elsewhere in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys/fs/cgroup`.
    pub cgroup: PathBuf,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            cgroup: "/sys/fs/cgroup".into(),
        }
    }
}

/// The folders of a process's cgroups, from its own up to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroups {
    cpu: Vec<PathBuf>,
    memory: Vec<PathBuf>,
}

impl Cgroups {
    /// Those of this process.
    pub fn own() -> Self {
        Self::of(&Host::default())
    }

    /// Those of this process as a machine shows them.
    pub fn of(host: &Host) -> Self {
        let text = fs::read_to_string(host.proc.join("self/cgroup")).unwrap_or_default();
        Self::parse(&text, &host.cgroup)
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
            figure(&text, "nr_throttled")
        };
        self.cpu.iter().filter_map(of).max().unwrap_or(0)
    }

    /// How long something in the nearest group that tells has waited for a CPU, or on the whole machine if none does, in µs since some
    /// moment; `None` where the kernel does not say.
    pub fn pressure_us(&self, proc: &Path) -> Option<u64> {
        let groups = self.cpu.iter().map(|group| group.join("cpu.pressure"));
        let files = groups.chain([proc.join("pressure/cpu")]);
        files
            .filter_map(|file| fs::read_to_string(file).ok())
            .find_map(|text| parse_pressure(&text))
    }

    /// The tightest memory limit in bytes; `None` if there is none. Version 1 also tells each group the tightest of those above it,
    /// seen or not (<https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>, section 5.2).
    pub fn memory_limit(&self) -> Option<u64> {
        let limits = self.memory.iter().flat_map(|group| {
            let read = |name: &str| fs::read_to_string(group.join(name)).ok();
            let own = ["memory.max", "memory.limit_in_bytes"]
                .into_iter()
                .find_map(read);
            let handed_down =
                read("memory.stat").and_then(|text| figure(&text, "hierarchical_memory_limit"));
            [own.and_then(|text| text.trim().parse().ok()), handed_down]
        });
        limits.flatten().filter(|bytes| *bytes < NO_LIMIT).min()
    }
}

/// `cpu.max`: quota and period in µs (<https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files>).
fn parse_cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    parse_cfs(quota, period)
}

/// The total of the line `some`, in µs (<https://docs.kernel.org/accounting/psi.html>).
fn parse_pressure(text: &str) -> Option<u64> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    some.split_whitespace()
        .find_map(|field| field.strip_prefix("total=")?.parse().ok())
}

/// Quota and period in µs; a quota of -1 is none (<https://docs.kernel.org/scheduler/sched-bwc.html>).
fn parse_cfs(quota: &str, period: &str) -> Option<f64> {
    let (quota, period): (f64, f64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

/// A figure of a file whose lines are a name and a number each.
fn figure(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(' ')?;
        (key == name).then(|| value.trim().parse().ok()).flatten()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    /// Writes a file below a folder, with the folders to it.
    pub(crate) fn file(root: &Path, path: &str, text: &str) {
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

    /// In a container its own group is the root, and nothing above it can be seen but for the bound that version 1 hands down.
    #[test]
    fn version_1_hands_down_the_memory_limit_of_groups_that_cannot_be_seen() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let none = "9223372036854771712\n";
        file(root, "memory/memory.limit_in_bytes", none);
        let stat = "cache 4096\nhierarchical_memory_limit 2147483648\nhierarchical_memsw_limit 1\n";
        file(root, "memory/memory.stat", stat);
        let groups = Cgroups::parse("4:memory:/ecs/task/container\n", root);
        assert_eq!(groups.memory_limit(), Some(2 << 30));
        let stat = format!("hierarchical_memory_limit {none}");
        file(root, "memory/memory.stat", &stat);
        assert_eq!(groups.memory_limit(), None);
    }

    #[test]
    fn the_pressure_of_the_nearest_group_counts_before_the_machines() {
        let root = tempfile::tempdir().unwrap();
        let line = |total: u64| {
            format!(
                "some avg10=1.50 avg60=0.00 avg300=0.00 total={total}\nfull avg10=0 avg60=0 avg300=0 total=1\n"
            )
        };
        file(root.path(), "proc/pressure/cpu", &line(900));
        file(root.path(), "cgroup/a/cpu.pressure", &line(70));
        file(root.path(), "cgroup/cpu.pressure", &line(800));
        let mount = root.path().join("cgroup");
        let proc = root.path().join("proc");
        let pressure = |text: &str| Cgroups::parse(text, &mount).pressure_us(&proc);
        assert_eq!(pressure("0::/a\n"), Some(70));
        assert_eq!(pressure("0::/gone\n"), Some(800));
        assert_eq!(pressure("2:cpu:/a\n"), Some(900));
        fs::remove_dir_all(&proc).unwrap();
        assert_eq!(pressure("2:cpu:/a\n"), None);
    }
}
