//! Running a program and measuring what it uses.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the end and the memory of a program are looked at.
const POLL: Duration = Duration::from_millis(50);

/// What a program printed and used.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// User and system time, its own and that of its children. Good to 10 ms.
    pub(super) cpu: Duration,
    /// The largest resident set of the program itself (`VmHWM`), bytes.
    pub(super) peak_rss_bytes: u64,
    /// What its threads used while nothing started or ended, where that could be seen.
    pub(super) steady: Option<Steady>,
    pub(super) success: bool,
}

/// CPU time of a span in the middle of a run, by the scheduler's account in ns; `/proc/PID/stat` has steps of 10 ms, and
/// at a low rate to start and to end is much of the whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    pub(super) cpu: Duration,
    pub(super) span: Duration,
}

/// Runs a program on one core to its end; `steady` says from when to when after its start it does nothing but send.
///
/// # Errors
/// If it cannot be started, or has not ended after `limit` (then it is killed).
pub(super) fn measure(
    command: &Command,
    core: usize,
    limit: Duration,
    steady: Option<Range<Duration>>,
) -> Result<Measured> {
    let mut child = pinned(command, core);
    let mut child = child
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child
        .as_mut()
        .map_err(|error| anyhow::anyhow!("start {:?}: {error}", command.get_program()))?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let mut middle = Middle::new(steady);
    let used = watch(child, limit, &mut middle);
    if used.is_err() {
        // It may have ended meanwhile: then there is nothing to kill.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let (cpu, peak_rss_bytes) = used.with_context(|| format!("{:?}", command.get_program()))?;
    let text = |reader: JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
    };
    Ok(Measured {
        stdout: text(stdout),
        stderr: text(stderr),
        cpu,
        peak_rss_bytes,
        steady: middle.steady(),
        success: status.success(),
    })
}

/// The same command on one core.
pub(super) fn pinned(command: &Command, core: usize) -> Command {
    let mut pinned = Command::new("taskset");
    pinned
        .args(["--cpu-list", &core.to_string()])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => pinned.env(name, value),
            None => pinned.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        pinned.current_dir(folder);
    }
    pinned
}

/// Reads a stream to its end in a thread, so that the program never waits for a reader.
fn collect(stream: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What was read before an error still tells more than nothing.
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Waits for the end without reaping: `/proc/PID/stat` keeps a dead program's times until then.
fn watch(child: &Child, limit: Duration, middle: &mut Middle) -> Result<(Duration, u64)> {
    let pid = Pid::from_child(child);
    let begun = Instant::now();
    let ends = begun + limit;
    let mut peak_rss_bytes = 0;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while waitid(WaitId::Pid(pid), options)?.is_none() {
        if Instant::now() > ends {
            bail!("has not ended after {limit:?}");
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))
            .unwrap_or_default();
        peak_rss_bytes = peak_rss_bytes.max(peak_rss(&status).unwrap_or(0));
        middle.look(begun.elapsed(), || thread_times(pid.as_raw_nonzero().get()));
        std::thread::sleep(POLL);
    }
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))?;
    let ticks = cpu_ticks(&stat).context("/proc/PID/stat: not understood")?;
    let per_s = rustix::param::clock_ticks_per_second();
    Ok((Duration::from_millis(ticks * 1_000 / per_s), peak_rss_bytes))
}

/// CPU time in ns by thread.
type ThreadTimes = HashMap<String, u64>;

/// The first and the last look within a span.
struct Middle {
    within: Option<Range<Duration>>,
    first: Option<(Duration, ThreadTimes)>,
    last: Option<(Duration, ThreadTimes)>,
}

impl Middle {
    const fn new(within: Option<Range<Duration>>) -> Self {
        Self {
            within,
            first: None,
            last: None,
        }
    }

    fn look(&mut self, now: Duration, times: impl FnOnce() -> ThreadTimes) {
        if self.within.as_ref().is_some_and(|span| span.contains(&now)) {
            let seen = (now, times());
            if self.first.is_none() {
                self.first = Some(seen);
            } else {
                self.last = Some(seen);
            }
        }
    }

    /// A thread that has ended meanwhile has taken its account with it.
    fn steady(&self) -> Option<Steady> {
        let ((begin, before), (end, after)) = (self.first.as_ref()?, self.last.as_ref()?);
        let used = |(thread, ns): (&String, &u64)| ns - before.get(thread).unwrap_or(&0).min(ns);
        Some(Steady {
            cpu: Duration::from_nanos(after.iter().map(used).sum()),
            span: *end - *begin,
        })
    }
}

/// The first field of each `/proc/PID/task/TID/schedstat`
/// (<https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>).
fn thread_times(pid: i32) -> ThreadTimes {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let threads = threads.into_iter().flatten().flatten();
    threads
        .filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let ns = text.split_whitespace().next()?.parse().ok()?;
            Some((thread.file_name().into_string().ok()?, ns))
        })
        .collect()
}

/// User and system time of a process's own threads in seconds, good to 10 ms; `None` if it is gone.
pub(super) fn user_and_system(pid: i32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks: u64 = times(&stat)?[..2].iter().sum();
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The processes that any thread of a process has started and that are still there.
pub(super) fn thread_children(pid: i32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let mut children = Vec::new();
    for thread in threads.into_iter().flatten().flatten() {
        // A thread may end meanwhile.
        let list = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(list.split_whitespace().flat_map(str::parse::<i32>));
    }
    children
}

/// `VmHWM` of `/proc/PID/status`, bytes; a dead program has none.
fn peak_rss(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The sum of [`times`].
fn cpu_ticks(stat: &str) -> Option<u64> {
    times(stat).map(|times| times.iter().sum())
}

/// utime, stime, cutime and cstime of `/proc/PID/stat`, in ticks
/// (<https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>, fields 14 to 17).
fn times(stat: &str) -> Option<[u64; 4]> {
    // The second field is the name in parentheses, which may hold anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11).map(str::parse);
    let mut next = || fields.next()?.ok();
    Some([next()?, next()?, next()?, next()?])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_accounts_are_understood() {
        let stat = "71 (a) b) S 1 71 71 0 -1 4194560 1 2 3 4 100 20 3 1 20 0 1 0 55 1 1";
        assert_eq!(cpu_ticks(stat), Some(124));
        assert_eq!(times(stat), Some([100, 20, 3, 1]));
        assert_eq!(
            peak_rss("Name:\tx\nVmHWM:\t   1234 kB\n"),
            Some(1234 * 1024)
        );
        assert_eq!(peak_rss("Name:\tzombie\n"), None);
    }

    #[test]
    fn the_middle_of_a_run_is_from_the_first_look_in_it_to_the_last() {
        let times =
            |list: &[(&str, u64)]| list.iter().map(|&(id, ns)| (id.to_owned(), ns)).collect();
        let ms = Duration::from_millis;
        let mut middle = Middle::new(Some(ms(100)..ms(200)));
        middle.look(ms(99), || unreachable!("before"));
        middle.look(ms(110), || times(&[("1", 5), ("2", 100)]));
        assert!(middle.steady().is_none());
        middle.look(ms(150), || times(&[("1", 6), ("2", 120)]));
        middle.look(ms(190), || times(&[("1", 9), ("3", 40)]));
        middle.look(ms(200), || unreachable!("after"));
        let steady = middle.steady().unwrap();
        assert_eq!(
            (steady.cpu, steady.span),
            (Duration::from_nanos(44), ms(80))
        );
        assert!(!thread_times(std::process::id().cast_signed()).is_empty());
    }

    /// The first core that this process may use.
    fn allowed_core() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let list = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .unwrap();
        list.trim()
            .split([',', '-'])
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }

    #[test]
    fn a_program_is_measured_and_one_that_hangs_is_killed() {
        let core = allowed_core();
        let mut busy = Command::new("sh");
        busy.args([
            "-c",
            "echo out; echo err >&2; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 3",
        ]);
        let measured = measure(&busy, core, Duration::from_secs(60), None).unwrap();
        assert_eq!(
            (
                measured.stdout.as_str(),
                measured.stderr.as_str(),
                measured.success
            ),
            ("out\n", "err\n", false)
        );
        assert!(measured.cpu > Duration::ZERO);
        assert!(measured.peak_rss_bytes > 0);

        let mut hangs = Command::new("sleep");
        hangs.arg("600");
        let error = measure(&hangs, core, Duration::from_millis(1), None).unwrap_err();
        assert!(format!("{error:#}").contains("has not ended"), "{error:#}");
    }
}
