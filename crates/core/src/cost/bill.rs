//! From usage to dollars.

use super::prices::{self, PRICES_OF, Prices, SPOT_SHARE};
use super::usage::{Capacity, Compute, Services, Usage};
use floodgate_records::architecture::Architecture;
use floodgate_records::cost::{Charge, ChargeUnit, Cost, CostItem};
use std::collections::BTreeSet;

/// What a usage costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill {
    /// Its lines, in a fixed order, without those of nothing.
    pub items: Vec<CostItem>,
    /// What a reader should know: regions without a price.
    pub warnings: Vec<String>,
}

impl Bill {
    /// The sum in US dollars.
    pub fn usd(&self) -> f64 {
        self.items.iter().map(|item| item.usd).sum()
    }

    /// The cost of a record before the launch.
    pub fn as_estimate(&self) -> Cost {
        Cost {
            estimate_usd: Some(self.usd()),
            actual_usd: None,
            items: Vec::new(),
            prices_of: PRICES_OF.into(),
        }
    }

    /// The cost of a record after the end; an estimate of before is kept.
    pub fn as_actual(&self, before: Option<&Cost>) -> Cost {
        Cost {
            estimate_usd: before.and_then(|cost| cost.estimate_usd),
            actual_usd: Some(self.usd()),
            items: self.items.clone(),
            prices_of: PRICES_OF.into(),
        }
    }
}

/// Prices a usage: quantity times list price, line by line.
pub fn bill(usage: &Usage) -> Bill {
    let mut lines = Lines::default();
    for compute in usage.all_compute() {
        lines.compute(compute);
    }
    for services in usage.all_services() {
        lines.services(services);
    }
    let warning = |region: String| {
        format!(
            "region {region}: not in the price table of {PRICES_OF}; the dearest known prices are used, so its cost is \
             rather less than shown"
        )
    };
    Bill {
        items: lines.items,
        warnings: lines.unknown.into_iter().map(warning).collect(),
    }
}

type Quantity = (f64, ChargeUnit);

#[derive(Default)]
struct Lines {
    items: Vec<CostItem>,
    unknown: BTreeSet<String>,
}

impl Lines {
    fn prices(&mut self, region: &str) -> Prices {
        if !prices::known(region) {
            self.unknown.insert(region.to_owned());
        }
        prices::of(region)
    }

    fn line(&mut self, what: Charge, region: &str, (quantity, unit): Quantity, price: f64) {
        if quantity > 0.0 {
            self.items.push(CostItem {
                what: what.into(),
                region: region.into(),
                quantity,
                unit: unit.into(),
                usd: quantity * price,
            });
        }
    }

    fn compute(&mut self, c: &Compute) {
        let prices = self.prices(&c.region);
        let fargate = match c.architecture {
            Architecture::Arm64 => prices.fargate_arm64,
            Architecture::X86_64 => prices.fargate_x86_64,
        };
        let share = match c.capacity {
            Capacity::OnDemand => 1.0,
            Capacity::Spot => SPOT_SHARE,
        };
        let (cpus, memory) = match (c.capacity, c.architecture) {
            (Capacity::OnDemand, Architecture::Arm64) => {
                (Charge::FargateVcpuArm64, Charge::FargateMemoryArm64)
            }
            (Capacity::OnDemand, Architecture::X86_64) => {
                (Charge::FargateVcpuX86_64, Charge::FargateMemoryX86_64)
            }
            (Capacity::Spot, Architecture::Arm64) => {
                (Charge::SpotVcpuArm64, Charge::SpotMemoryArm64)
            }
            (Capacity::Spot, Architecture::X86_64) => {
                (Charge::SpotVcpuX86_64, Charge::SpotMemoryX86_64)
            }
        };
        let vcpu_hours = (c.vcpu_hours, ChargeUnit::VcpuHours);
        let gb_hours = (c.gb_hours, ChargeUnit::GbHours);
        self.line(cpus, &c.region, vcpu_hours, fargate.vcpu_hour * share);
        self.line(memory, &c.region, gb_hours, fargate.gb_hour * share);
    }

    fn services(&mut self, s: &Services) {
        use {Charge as C, ChargeUnit as U};
        let p = self.prices(&s.region);
        let lines: [(C, Quantity, f64); 11] = [
            (C::PublicIpv4, (s.ipv4_hours, U::AddressHours), p.ipv4_hour),
            (
                C::LambdaRequests,
                (s.lambda_requests, U::Requests),
                p.lambda_request,
            ),
            (
                C::LambdaArm64,
                (s.lambda_arm64_gb_s, U::GbSeconds),
                p.lambda_arm64_gb_s,
            ),
            (
                C::LambdaX86_64,
                (s.lambda_x86_64_gb_s, U::GbSeconds),
                p.lambda_x86_64_gb_s,
            ),
            (
                C::StepFunctions,
                (s.transitions, U::Transitions),
                p.transition,
            ),
            (C::S3Writes, (s.s3_puts, U::Requests), p.s3_put),
            (C::S3Reads, (s.s3_gets, U::Requests), p.s3_get),
            (C::S3Storage, (s.s3_gb_months, U::GbMonths), p.s3_gb_month),
            (
                C::DynamodbWrites,
                (s.dynamodb_writes, U::WriteUnits),
                p.dynamodb_write,
            ),
            (
                C::DynamodbReads,
                (s.dynamodb_reads, U::ReadUnits),
                p.dynamodb_read,
            ),
            (C::Logs, (s.log_gb, U::Gb), p.logs_gb),
        ];
        for (what, quantity, price) in lines {
            self.line(what, &s.region, quantity, price);
        }
    }
}
