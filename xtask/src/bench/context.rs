//! What all sections need: built programs, the tools that are there, cores, a scratch folder.

use super::options::Options;
use super::tools::{self, Load, Run, Tool};
use crate::{program, repo};
use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::path::{Path, PathBuf};

/// Two cores that do not share one physical core, where there are such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cores {
    pub(super) server: usize,
    pub(super) client: usize,
}

pub(super) struct Context {
    pub(super) rounds: u32,
    pub(super) seconds: u32,
    /// How much of an engine's output is read.
    pub(super) bytes: u64,
    pub(super) cores: Cores,
    /// The server's program.
    pub(super) target: PathBuf,
    /// The program to measure, where one is given.
    pub(super) floodgate: Option<PathBuf>,
    /// Floodgate first, then the peers that are installed.
    pub(super) tools: Vec<Tool>,
    /// Peers that are not.
    pub(super) absent: Vec<&'static str>,
    /// Where tools run and leave their files.
    pub(super) scratch: PathBuf,
}

impl Context {
    /// Builds what is to be measured, `floodgate` only unless it is given, and looks for peers; neither if `alone`: then
    /// sections build what they measure.
    pub(super) fn prepare(options: &Options, alone: bool) -> Result<Self> {
        if !alone {
            build(options.floodgate.is_none())?;
        }
        let target_dir = repo::target_dir()?;
        let built = target_dir.join(program::DIST);
        // Tools run in another folder.
        let given = options.floodgate.as_ref().map(std::path::absolute);
        let given = given.transpose()?;
        let floodgate = given.clone().unwrap_or_else(|| built.join("floodgate"));
        let peers = std::env::var_os("FLOODGATE_PEERS").map(PathBuf::from);
        let (tools, absent) = if alone {
            (Vec::new(), Vec::new())
        } else {
            tools::find(&floodgate, peers.as_deref())
        };
        let scratch = target_dir.join("xtask-bench");
        std::fs::create_dir_all(&scratch)
            .with_context(|| format!("create {}", scratch.display()))?;
        ensure!(
            repo::find_program("taskset", None).is_some(),
            "taskset is missing: apt-get install util-linux"
        );
        raise_open_files().context("raise the limit of open files")?;
        let cores = pick(
            &allowed_cpus(&std::fs::read_to_string("/proc/self/status")?),
            siblings,
        )?;
        Ok(Self {
            rounds: options.rounds,
            seconds: options.seconds,
            bytes: options.bytes,
            cores,
            target: built.join("floodgate-testserver"),
            floodgate: given,
            tools,
            absent,
            scratch,
        })
    }

    /// Sends a load from the client's core.
    ///
    /// # Errors
    /// See [`Tool::run`].
    pub(super) fn run(&self, tool: &Tool, load: &Load) -> Result<Run> {
        tool.run(self.cores.client, &self.scratch, load)
    }
}

/// Builds the server, and the program if that is asked for.
///
/// # Errors
/// If the build fails.
pub(super) fn build(floodgate: bool) -> Result<()> {
    let mut build = repo::cargo(&["build", "--locked", "-p", "floodgate-testserver"]);
    build.args(["--profile", program::DIST]);
    if floodgate {
        build.args(["-p", "floodgate"]);
    }
    ensure!(
        build.status().context("run cargo build")?.success(),
        "the build with the profile dist failed"
    );
    Ok(())
}

/// As many open files as the system allows: a thousand connections need more than the usual 1,024, here and in the
/// programs that are started, which inherit the limit.
fn raise_open_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(())
}

/// The CPUs that this process may use, from `Cpus_allowed_list` in `/proc/self/status`.
fn allowed_cpus(status: &str) -> Vec<usize> {
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .unwrap_or("");
    cpu_list(list)
}

/// Numbers of a list such as `0-3,8`.
fn cpu_list(list: &str) -> Vec<usize> {
    let ranges = list.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    });
    ranges.flatten().collect()
}

/// The CPUs on the same physical core as `cpu`.
fn siblings(cpu: usize) -> Vec<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    std::fs::read_to_string(Path::new(&path)).map_or_else(|_| vec![cpu], |list| cpu_list(&list))
}

fn pick(allowed: &[usize], siblings: impl Fn(usize) -> Vec<usize>) -> Result<Cores> {
    ensure!(
        allowed.len() >= 2,
        "two cores are needed, one for the server; this process may use {}",
        allowed.len()
    );
    let server = allowed[0];
    let beside = siblings(server);
    let client = allowed[1..]
        .iter()
        .find(|cpu| !beside.contains(cpu))
        .unwrap_or(&allowed[1]);
    Ok(Cores {
        server,
        client: *client,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_allowed_and_physically_apart() {
        assert_eq!(
            allowed_cpus("Name:\tx\nCpus_allowed_list:\t2-4,9\n"),
            [2, 3, 4, 9]
        );
        let pairs = |cpu: usize| vec![cpu & !1, cpu | 1];
        assert_eq!(
            pick(&[2, 3, 4, 9], pairs).unwrap(),
            Cores {
                server: 2,
                client: 4
            }
        );
        assert_eq!(
            pick(&[2, 3], pairs).unwrap(),
            Cores {
                server: 2,
                client: 3
            }
        );
        assert!(pick(&[5], pairs).is_err());
    }
}
