//! A Docker engine: the one that runs, or one that is installed and started for as long as it is needed.

use crate::{python, repo};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the engine may take to start.
const START: Duration = Duration::from_secs(40);

/// An engine that answers. Dropping it stops it if it was started here.
pub(crate) struct Docker {
    started: Option<(Child, tempfile::TempDir)>,
}

impl Docker {
    /// Finds, installs or starts the engine.
    ///
    /// # Errors
    /// Why there is none: a sentence for the account.
    pub(crate) fn set_up() -> Result<Self, String> {
        if engine_answers() {
            return Ok(Self { started: None });
        }
        if !rustix::process::geteuid().is_root() {
            return Err("no Docker engine answers, and only root can start one".into());
        }
        if repo::find_program("dockerd", None).is_none() {
            install()?;
        }
        start().map(|started| Self {
            started: Some(started),
        })
    }

    /// Where it came from, for the account.
    pub(crate) fn origin(&self) -> &'static str {
        if self.started.is_some() {
            "started for this run"
        } else {
            "was running"
        }
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let Some((child, _folder)) = &mut self.started else {
            return;
        };
        let pid = rustix::process::Pid::from_child(child);
        // An error means that it has ended already.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = child.wait();
    }
}

/// The containers with a label, all of them: also those that have ended.
pub(crate) fn containers(label: &str) -> Vec<String> {
    let listed = Command::new("docker")
        .args(["ps", "-aq", "--filter", &format!("label={label}")])
        .output();
    let listed = listed.map(|output| output.stdout).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    listed.split_whitespace().map(str::to_owned).collect()
}

/// Removes containers, running or not.
pub(crate) fn remove(containers: &[String]) {
    if !containers.is_empty() {
        // What is already gone is what is wanted.
        let _ = Command::new("docker")
            .args(["rm", "--force", "--volumes"])
            .args(containers)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn engine_answers() -> bool {
    let asked = Command::new("docker")
        .args(["version", "--format", "{{.Server.Version}}"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn install() -> Result<(), String> {
    let apt = repo::find_program("apt-get", None).ok_or(
        "there is no Docker engine, and no apt-get to install one with: install Docker yourself",
    )?;
    eprintln!("── docker: apt-get install docker.io iptables");
    let packages = [
        "install",
        "-y",
        "--no-install-recommends",
        "docker.io",
        "iptables",
    ];
    if python::quietly(&apt, &packages).is_ok() {
        return Ok(());
    }
    // The lists may be older than the mirror.
    python::quietly(&apt, &["update"])
        .and_then(|()| python::quietly(&apt, &packages))
        .map_err(|why| format!("apt-get install docker.io iptables: {why}"))
}

/// Starts an engine without a network of its own: containers of the tests share the host's, and the machine's firewall
/// is left alone.
fn start() -> Result<(Child, tempfile::TempDir), String> {
    let folder = tempfile::Builder::new()
        .prefix("floodgate-docker-")
        .tempdir()
        .map_err(|error| format!("make a folder for dockerd's log: {error}"))?;
    let log = std::fs::File::create(folder.path().join("log"))
        .map_err(|error| format!("{}: {error}", folder.path().display()))?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let mut child = Command::new("dockerd")
        .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
        // Ctrl-C is for this program, which stops the engine last.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| format!("start dockerd: {error}"))?;
    let until = Instant::now() + START;
    while !engine_answers() {
        let ended = child.try_wait().ok().flatten().is_some();
        if ended || Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!(
                "dockerd does not start: {}",
                last_line(folder.path())
            ));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok((child, folder))
}

fn last_line(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.lines().last().unwrap_or("it says nothing").to_owned()
}
