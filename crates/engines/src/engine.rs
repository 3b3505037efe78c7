//! What an engine is to the rest of the program: facts, and what it can be asked. Each has one implementation in its folder, and
//! [`registry`](crate::registry) knows them all.

use crate::error::LaunchError;
use crate::inspection::Inspection;
use crate::installed::Installed;
use crate::job::Job;
use crate::launch::Launch;
use crate::read::Reader;
use floodgate_records::engine::Engine;
use std::path::Path;
use std::time::Duration;

/// An engine that runs scripts.
pub trait ScriptEngine: Sync {
    /// What is always true of it.
    fn facts(&self) -> &'static EngineFacts;

    /// Whether a file is one of its scripts, by its name; or a folder one of its projects, by what lies in it.
    fn takes(&self, path: &Path) -> bool;

    /// What a script says of itself, and the script as it travels. Nothing is sent.
    ///
    /// # Errors
    /// An engine that is not here, and a script that it does not take.
    fn prepare(&self, request: &PrepareRequest<'_>) -> Result<PreparedScript, LaunchError>;

    /// How one task's part is started, read and stopped. Writes what it needs into the job's scratch folder.
    ///
    /// # Errors
    /// An engine that is not here, and a script that it does not take or that cannot be divided.
    fn launch(&self, job: &Job<'_>) -> Result<Launch, LaunchError>;

    /// A reader of results that it wrote elsewhere, recognised by their beginning; `None` of anything else.
    fn import(&self, head: &[u8]) -> Option<Box<dyn Reader>>;

    /// Where it is on this machine, and which version.
    ///
    /// # Errors
    /// [`LaunchError`] if there is none, or one that is not run here.
    fn installed(&self) -> Result<Installed, LaunchError>;

    /// The Java that it runs on, of an engine that needs one.
    ///
    /// # Errors
    /// [`LaunchError`] if there is none, or if it does not say its version.
    fn java(&self) -> Option<Result<Installed, LaunchError>> {
        None
    }

    /// What a file of its own is that holds no samples, recognised by its beginning.
    fn without_samples(&self, _head: &[u8]) -> Option<&'static str> {
        None
    }

    /// What becomes here of an option of its own command line that this program has not.
    fn instead_of(&self, _option: &str) -> Option<&'static str> {
        None
    }

    /// Why a folder is none of its projects; `None` of an engine that has no projects.
    fn not_a_project(&self) -> Option<&'static str> {
        None
    }
}

/// What is always true of an engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineFacts {
    /// Which.
    pub engine: Engine,
    /// Its name as its makers write it.
    pub label: &'static str,
    /// Whether it runs on a Java virtual machine.
    pub needs_java: bool,
    /// Whether [`LoadOptions`] change what its scripts do.
    pub takes_load_options: bool,
    /// Whether its scripts read variables of the process's environment.
    pub reads_variables: bool,
    /// How the names of variables begin that the engine itself obeys: they are packed with the script.
    pub own_variables: &'static [&'static str],
    /// How far it can be kept to a list of targets.
    pub confinement: Confinement,
    /// What one task carries.
    pub capacity: Capacity,
    /// Which of its files are results that can be read, in words; empty of an engine that writes none.
    pub results: &'static str,
}

/// How far an engine can be kept to a list of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// It sends nothing to another name or address.
    NamesAndAddresses,
    /// It sends nothing to another address.
    Addresses,
    /// It connects to whatever its script names.
    Nothing,
}

/// What one task of an engine is expected to carry while it stays far from saturation.
///
/// Requests: measured on one core (docs/benchmarks.md) are 230,000 plain and 120,000 HTTP/2 requests a second of the native
/// engine, and 19,000 of k6; a twentieth and a tenth of that leave room for TLS handshakes, bodies, checks and a slower vCPU.
/// k6's own guide counts 1 to 5 MB a VU (<https://grafana.com/docs/k6/latest/testing-guides/running-large-tests/>). JMeter runs
/// a thread a VU and its best practices keep to some hundred threads a JVM core
/// (<https://jmeter.apache.org/usermanual/best-practices.html>); Gatling's virtual users are messages, not threads
/// (<https://docs.gatling.io/concepts/injection/>). A wrong assumption shows itself: a saturated generator makes the run
/// inconclusive, and `run.tasks` overrides all of this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Requests a second a vCPU.
    pub requests_per_s: f64,
    /// VUs a vCPU.
    pub vus: f64,
    /// VUs a GiB.
    pub vus_a_gib: f64,
}

/// How much load a script makes, in place of what it says itself; of an engine that [takes](EngineFacts::takes_load_options) such options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// VUs.
    pub vus: Option<u64>,
    /// Duration, as a script writes it.
    pub duration: Option<String>,
    /// Iterations, shared by the VUs.
    pub iterations: Option<u64>,
    /// `TIME:VUS`, each.
    pub stages: Vec<String>,
    /// Maximum requests per second, over all VUs.
    pub rps: Option<u64>,
}

impl LoadOptions {
    /// Whether none is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A script that is to be prepared.
#[derive(Clone, Copy, Debug)]
pub struct PrepareRequest<'a> {
    /// The script and where it lies, as a task would run it.
    pub job: &'a Job<'a>,
    /// Files that the definition names, relative to the job's folder.
    pub files: &'a [String],
    /// Load in place of the script's own.
    pub load: &'a LoadOptions,
    /// How long a load is taken to last that does not say it.
    pub unknown_duration: Duration,
}

/// What a script says of itself, and what stands in its place.
#[derive(Clone, Debug, Default)]
pub struct PreparedScript {
    /// What it says.
    pub inspection: Inspection,
    /// The script with all that it needs, as one file of this name.
    pub packed: Option<(String, Vec<u8>)>,
    /// How long a load may take that ends by a number of iterations, where the engine's results do not tell how many there were.
    pub uncounted: Option<Duration>,
}
