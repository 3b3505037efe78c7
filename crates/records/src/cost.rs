//! What a run cost.

use crate::word::Word;
use crate::words;
use serde::{Deserialize, Serialize};

/// Cost in US dollars.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Before the launch.
    pub estimate_usd: Option<f64>,
    /// After the end, by what was used and the prices of [`Self::prices_of`]: not an invoice.
    pub actual_usd: Option<f64>,
    /// What the actual cost is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<CostItem>,
    /// The date of the price table, as `2026-11-01`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prices_of: String,
}

/// One line of a cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CostItem {
    /// What is charged for.
    pub what: Word<Charge>,
    /// The region of the price.
    pub region: String,
    /// How much of it.
    pub quantity: f64,
    /// What the quantity counts.
    pub unit: Word<ChargeUnit>,
    /// Quantity times price, before any free tier.
    pub usd: f64,
}

words! {
    /// What AWS charges a run for.
    pub Charge {
        /// CPUs of tasks on Graviton.
        FargateVcpuArm64 = "fargate vCPU arm64",
        /// Memory of tasks on Graviton.
        FargateMemoryArm64 = "fargate memory arm64",
        /// CPUs of tasks on Intel and AMD.
        FargateVcpuX86_64 = "fargate vCPU x86_64",
        /// Memory of tasks on Intel and AMD.
        FargateMemoryX86_64 = "fargate memory x86_64",
        /// CPUs of interruptible tasks on Graviton.
        SpotVcpuArm64 = "fargate spot vCPU arm64",
        /// Memory of interruptible tasks on Graviton.
        SpotMemoryArm64 = "fargate spot memory arm64",
        /// CPUs of interruptible tasks on Intel and AMD.
        SpotVcpuX86_64 = "fargate spot vCPU x86_64",
        /// Memory of interruptible tasks on Intel and AMD.
        SpotMemoryX86_64 = "fargate spot memory x86_64",
        /// Public addresses of tasks.
        PublicIpv4 = "public IPv4",
        /// Calls of functions.
        LambdaRequests = "lambda requests",
        /// Time of functions on Graviton.
        LambdaArm64 = "lambda arm64",
        /// Time of functions on Intel and AMD.
        LambdaX86_64 = "lambda x86_64",
        /// Transitions of the state machine.
        StepFunctions = "step functions",
        /// Requests that write objects.
        S3Writes = "s3 writes",
        /// Requests that read objects.
        S3Reads = "s3 reads",
        /// Objects that are kept.
        S3Storage = "s3 storage",
        /// Records that are written.
        DynamodbWrites = "dynamodb writes",
        /// Records that are read.
        DynamodbReads = "dynamodb reads",
        /// Lines of logs.
        Logs = "logs",
    }
}

words! {
    /// What the quantity of a charge counts.
    pub ChargeUnit {
        /// One vCPU for an hour.
        VcpuHours = "vCPU-hours",
        /// One GB for an hour.
        GbHours = "GB-hours",
        /// One address for an hour.
        AddressHours = "address-hours",
        /// A request.
        Requests = "requests",
        /// One GB for a second.
        GbSeconds = "GB-seconds",
        /// A transition.
        Transitions = "transitions",
        /// One GB for a month.
        GbMonths = "GB-months",
        /// A write of DynamoDB, of 1 KB.
        WriteUnits = "write units",
        /// A read of DynamoDB, of 4 KB.
        ReadUnits = "read units",
        /// One GB.
        Gb = "GB",
    }
}
