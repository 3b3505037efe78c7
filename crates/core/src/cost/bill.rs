//! From usage to dollars.

use super::prices::{self, PRICES_OF, Prices, SPOT_SHARE};
use super::usage::{Architecture, Capacity, Compute, Services, Usage};
use floodgate_records::cost::{Cost, CostItem};
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

    fn line(&mut self, what: &str, region: &str, (quantity, unit): (f64, &str), price: f64) {
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
        let (name, share) = match c.capacity {
            Capacity::OnDemand => ("fargate", 1.0),
            Capacity::Spot => ("fargate spot", SPOT_SHARE),
        };
        let arch = c.architecture.name();
        let vcpu = (c.vcpu_hours, "vCPU-hours");
        let memory = (c.gb_hours, "GB-hours");
        self.line(
            &format!("{name} vCPU {arch}"),
            &c.region,
            vcpu,
            fargate.vcpu_hour * share,
        );
        self.line(
            &format!("{name} memory {arch}"),
            &c.region,
            memory,
            fargate.gb_hour * share,
        );
    }

    fn services(&mut self, s: &Services) {
        let p = self.prices(&s.region);
        let lines = [
            ("public IPv4", (s.ipv4_hours, "address-hours"), p.ipv4_hour),
            (
                "lambda requests",
                (s.lambda_requests, "requests"),
                p.lambda_request,
            ),
            (
                "lambda arm64",
                (s.lambda_arm64_gb_s, "GB-seconds"),
                p.lambda_arm64_gb_s,
            ),
            (
                "lambda x86_64",
                (s.lambda_x86_64_gb_s, "GB-seconds"),
                p.lambda_x86_64_gb_s,
            ),
            (
                "step functions",
                (s.transitions, "transitions"),
                p.transition,
            ),
            ("s3 writes", (s.s3_puts, "requests"), p.s3_put),
            ("s3 reads", (s.s3_gets, "requests"), p.s3_get),
            ("s3 storage", (s.s3_gb_months, "GB-months"), p.s3_gb_month),
            (
                "dynamodb writes",
                (s.dynamodb_writes, "write units"),
                p.dynamodb_write,
            ),
            (
                "dynamodb reads",
                (s.dynamodb_reads, "read units"),
                p.dynamodb_read,
            ),
            ("logs", (s.log_gb, "GB"), p.logs_gb),
        ];
        for (what, quantity, price) in lines {
            self.line(what, &s.region, quantity, price);
        }
    }
}
