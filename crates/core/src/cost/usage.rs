//! What a run used, in the units that AWS charges for. Usages add up: of two runs, of parts of a run.

use floodgate_records::architecture::Architecture;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A task is charged for at least so long. Source: <https://aws.amazon.com/fargate/pricing/>, read 2026-11-22.
const FARGATE_MINIMUM: Duration = Duration::from_secs(60);

/// The capacity that a task ran on.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Capacity {
    /// On-Demand.
    #[default]
    #[serde(rename = "FARGATE")]
    OnDemand,
    /// Interruptible.
    #[serde(rename = "FARGATE_SPOT")]
    Spot,
}

impl Capacity {
    /// From the name of a capacity provider; everything but `FARGATE_SPOT` counts as On-Demand.
    pub fn of_provider(name: &str) -> Self {
        if name == "FARGATE_SPOT" {
            Self::Spot
        } else {
            Self::OnDemand
        }
    }

    /// The quota of vCPUs that its tasks take from: `Fargate On-Demand vCPU resource count`, or that of Spot.
    pub const fn quota_code(self) -> &'static str {
        match self {
            Self::OnDemand => "L-3032A538",
            Self::Spot => "L-36FBB829",
        }
    }
}

/// The size of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// CPU units, 1024 a vCPU.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
}

/// What tasks of one kind used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compute {
    /// Where they ran.
    pub region: String,
    /// On which processor.
    pub architecture: Architecture,
    /// On which capacity.
    pub capacity: Capacity,
    /// vCPU-hours.
    pub vcpu_hours: f64,
    /// GB-hours.
    pub gb_hours: f64,
}

/// What a run used of the services of one region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Services {
    /// The region.
    pub region: String,
    /// Lambda invocations.
    pub lambda_requests: f64,
    /// Lambda GB-seconds on ARM.
    pub lambda_arm64_gb_s: f64,
    /// Lambda GB-seconds on x86-64.
    pub lambda_x86_64_gb_s: f64,
    /// Step Functions state transitions.
    pub transitions: f64,
    /// S3 PUT and LIST requests.
    pub s3_puts: f64,
    /// S3 GET requests.
    pub s3_gets: f64,
    /// GB kept in S3 for a month.
    pub s3_gb_months: f64,
    /// DynamoDB write request units.
    pub dynamodb_writes: f64,
    /// DynamoDB read request units.
    pub dynamodb_reads: f64,
    /// GB of logs.
    pub log_gb: f64,
    /// Hours of public IPv4 addresses.
    pub ipv4_hours: f64,
}

impl Services {
    /// Adds GB-seconds of functions.
    pub fn add_lambda(&mut self, architecture: Architecture, requests: f64, gb_s: f64) {
        self.lambda_requests += requests;
        match architecture {
            Architecture::Arm64 => self.lambda_arm64_gb_s += gb_s,
            Architecture::X86_64 => self.lambda_x86_64_gb_s += gb_s,
        }
    }

    fn add(&mut self, other: &Self) {
        self.lambda_requests += other.lambda_requests;
        self.lambda_arm64_gb_s += other.lambda_arm64_gb_s;
        self.lambda_x86_64_gb_s += other.lambda_x86_64_gb_s;
        self.transitions += other.transitions;
        self.s3_puts += other.s3_puts;
        self.s3_gets += other.s3_gets;
        self.s3_gb_months += other.s3_gb_months;
        self.dynamodb_writes += other.dynamodb_writes;
        self.dynamodb_reads += other.dynamodb_reads;
        self.log_gb += other.log_gb;
        self.ipv4_hours += other.ipv4_hours;
    }
}

/// What was used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    compute: Vec<Compute>,
    services: Vec<Services>,
}

impl Usage {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one task. `billed` is from the download of its image to its end; seconds are rounded up and a minute is the
    /// least, as Fargate does. Returns what is charged for.
    pub fn add_task(
        &mut self,
        region: &str,
        architecture: Architecture,
        capacity: Capacity,
        size: Size,
        billed: Duration,
    ) -> Duration {
        let whole = billed.as_secs() + u64::from(billed.subsec_nanos() > 0);
        let charged = Duration::from_secs(whole).max(FARGATE_MINIMUM);
        let hours = charged.as_secs_f64() / 3_600.0;
        self.add_compute(&Compute {
            region: region.to_owned(),
            architecture,
            capacity,
            vcpu_hours: hours * f64::from(size.cpu) / 1_024.0,
            gb_hours: hours * f64::from(size.memory) / 1_024.0,
        });
        charged
    }

    /// What was used of a region's services, to be added to.
    pub fn services(&mut self, region: &str) -> &mut Services {
        let at = self
            .services
            .binary_search_by(|s| s.region.as_str().cmp(region))
            .unwrap_or_else(|at| {
                let new = Services {
                    region: region.to_owned(),
                    ..Services::default()
                };
                self.services.insert(at, new);
                at
            });
        &mut self.services[at]
    }

    /// Adds another usage.
    pub fn add(&mut self, other: &Self) {
        for compute in &other.compute {
            self.add_compute(compute);
        }
        for services in &other.services {
            self.services(&services.region).add(services);
        }
    }

    /// By kind of task, sorted by region.
    pub fn all_compute(&self) -> &[Compute] {
        &self.compute
    }

    /// By region, sorted.
    pub fn all_services(&self) -> &[Services] {
        &self.services
    }

    fn add_compute(&mut self, more: &Compute) {
        fn kind(c: &Compute) -> (&str, Architecture, Capacity) {
            (c.region.as_str(), c.architecture, c.capacity)
        }
        match self
            .compute
            .binary_search_by(|known| kind(known).cmp(&kind(more)))
        {
            Ok(at) => {
                self.compute[at].vcpu_hours += more.vcpu_hours;
                self.compute[at].gb_hours += more.gb_hours;
            }
            Err(at) => self.compute.insert(at, more.clone()),
        }
    }
}
