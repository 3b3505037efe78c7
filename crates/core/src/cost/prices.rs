//! The price table: list prices in US dollars by region, with their sources and dates.
//!
//! AWS publishes prices on pages that a script fills in, so most figures cannot be read from the page's text. [`SOURCES`]
//! says of every column which figures were confirmed against a dated text and which rest on memory of the page. To renew the
//! table, ask the price list API (<https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html>) and
//! set [`PRICES_OF`].

/// The date of the table.
pub const PRICES_OF: &str = "2026-11-22";

/// The price of Fargate Spot as a share of the On-Demand price. Spot's price follows supply and is "up to 70 %" lower; of the
/// prices seen from 2021 to 2026 the dearest was 39 % (Tokyo, 2021), the usual ones 30 to 34 %.
/// Source: <https://aws.amazon.com/fargate/pricing/>, read 2026-11-22; figures seen: see [`SOURCES`].
pub const SPOT_SHARE: f64 = 0.40;

/// The price of a Fargate task's parts for an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fargate {
    /// A vCPU for an hour, On-Demand.
    pub vcpu_hour: f64,
    /// A GB (2^30 bytes) of memory for an hour, On-Demand.
    pub gb_hour: f64,
}

/// Prices of one region in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// The region; [`DEAREST`] for the fallback.
    pub region: &'static str,
    /// Fargate, Linux on x86-64.
    pub fargate_x86_64: Fargate,
    /// Fargate, Linux on ARM.
    pub fargate_arm64: Fargate,
    /// Lambda, a GB-second on x86-64, first tier.
    pub lambda_x86_64_gb_s: f64,
    /// Lambda, a GB-second on ARM, first tier.
    pub lambda_arm64_gb_s: f64,
    /// Lambda, an invocation.
    pub lambda_request: f64,
    /// Step Functions, a state transition of a Standard workflow.
    pub transition: f64,
    /// S3 Standard, a PUT, COPY, POST or LIST.
    pub s3_put: f64,
    /// S3 Standard, a GET or any other request.
    pub s3_get: f64,
    /// S3 Standard, a GB for a month, first 50 TB.
    pub s3_gb_month: f64,
    /// DynamoDB on demand, a write request unit: an item of up to 1 KB.
    pub dynamodb_write: f64,
    /// DynamoDB on demand, a read request unit: a strongly consistent read of up to 4 KB.
    pub dynamodb_read: f64,
    /// CloudWatch Logs, a GB taken in, Standard class.
    pub logs_gb: f64,
    /// A public IPv4 address for an hour.
    pub ipv4_hour: f64,
}

/// The name of the fallback of [`of`].
pub const DEAREST: &str = "dearest known";

/// The prices of a region. For a region that the table does not have: of every column the dearest known, so that a budget is
/// rather too strict than too lax; [`Prices::region`] is [`DEAREST`] then.
pub fn of(region: &str) -> Prices {
    table()
        .find(|prices| prices.region == region)
        .unwrap_or_else(dearest)
}

/// Whether the table has this region.
pub fn known(region: &str) -> bool {
    ROWS.iter().any(|row| row.0 == region)
}

/// All regions of the table.
pub fn table() -> impl Iterator<Item = Prices> {
    ROWS.iter().map(row)
}

/// Where a column's figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The columns.
    pub what: &'static str,
    /// The page that publishes them.
    pub url: &'static str,
    /// What was confirmed, by what text of which date.
    pub confirmed: &'static str,
    /// What rests on memory of the page, as of [`PRICES_OF`]; empty if nothing does.
    pub from_memory: &'static str,
}

/// The sources of the table.
pub const SOURCES: [Source; 7] = [
    Source {
        what: "Fargate, Linux/x86",
        url: "https://aws.amazon.com/fargate/pricing/",
        confirmed: "all regions against github.com/theuves/fgcalc (of 2021, kept 2025-11-25); us-east-1 against vantage.sh and \
                    wring.co (2026-03-10), eu-central-1 against a price list extract of 2026-07-07",
        from_memory: "that the other regions have not changed since",
    },
    Source {
        what: "Fargate, Linux/ARM",
        url: "https://aws.amazon.com/fargate/pricing/",
        confirmed: "us-east-1 against vantage.sh and a price list extract of 2026-08-28; sa-east-1 against a text of 2025; \
                    ap-southeast-2 against a cost estimate of the same time",
        from_memory: "all other regions (about 20 % below x86; ap-south-1 was seen cheaper in 2026-05)",
    },
    Source {
        what: "Lambda",
        url: "https://aws.amazon.com/lambda/pricing/",
        confirmed: "one price for all regions of the table against artillery 2.0.28 (lib/platform/aws-lambda/prices.js) and a \
                    price list extract of 2025-10-28; requests against the page's examples, 2026-09-20",
        from_memory: "",
    },
    Source {
        what: "Step Functions, Standard",
        url: "https://aws.amazon.com/step-functions/pricing/",
        confirmed: "all regions against github.com/alexcasalboni/aws-lambda-power-tuning (of 2022)",
        from_memory: "that they have not changed since",
    },
    Source {
        what: "S3 Standard",
        url: "https://aws.amazon.com/s3/pricing/",
        confirmed: "storage in all regions against a table made from the price list API (2026-07-01); requests in us-east-1 \
                    against a price list extract of 2025-10-28",
        from_memory: "requests in all other regions",
    },
    Source {
        what: "DynamoDB on demand",
        url: "https://aws.amazon.com/dynamodb/pricing/on-demand/",
        confirmed: "us-east-1 against airbyte.com (2025-07-21, after the reduction of 2024-11)",
        from_memory: "all other regions",
    },
    Source {
        what: "CloudWatch Logs; public IPv4",
        url: "https://aws.amazon.com/cloudwatch/pricing/ https://aws.amazon.com/vpc/pricing/",
        confirmed: "logs in us-east-1 against a price list extract of 2025-10-28, in ap-northeast-1 against awsi.click (2026); \
                    IPv4, one price in all regions since 2024-02-01, against doit.com and haufe-akademie.de",
        from_memory: "logs in all other regions",
    },
];

/// One price everywhere: Lambda (first tier) and IPv4 addresses.
const LAMBDA_X86_64_GB_S: f64 = 0.000_016_666_7;
const LAMBDA_ARM64_GB_S: f64 = 0.000_013_333_4;
const LAMBDA_REQUEST: f64 = 0.20 / 1e6;
const IPV4_HOUR: f64 = 0.005;

/// Region; Fargate x86 vCPU-hour, GB-hour; ARM vCPU-hour, GB-hour; 1,000 transitions; 1,000 PUT, 1,000 GET, GB-month;
/// a million write units, a million read units; GB of logs.
type Row = (&'static str, [f64; 4], f64, [f64; 3], [f64; 2], f64);

#[rustfmt::skip]
const ROWS: [Row; 16] = [
    ("us-east-1",      [0.04048, 0.004445, 0.03238, 0.00356], 0.025,  [0.0050, 0.00040, 0.0230], [0.6250, 0.1250], 0.50),
    ("us-east-2",      [0.04048, 0.004445, 0.03238, 0.00356], 0.025,  [0.0050, 0.00040, 0.0230], [0.6250, 0.1250], 0.50),
    ("us-west-1",      [0.04656, 0.005110, 0.03725, 0.00409], 0.0279, [0.0055, 0.00044, 0.0260], [0.6975, 0.1395], 0.67),
    ("us-west-2",      [0.04048, 0.004445, 0.03238, 0.00356], 0.025,  [0.0050, 0.00040, 0.0230], [0.6250, 0.1250], 0.50),
    ("ca-central-1",   [0.04456, 0.004865, 0.03565, 0.00389], 0.025,  [0.0055, 0.00044, 0.0250], [0.6875, 0.1375], 0.55),
    ("eu-west-1",      [0.04048, 0.004445, 0.03238, 0.00356], 0.025,  [0.0050, 0.00040, 0.0230], [0.7055, 0.1410], 0.57),
    ("eu-west-2",      [0.04656, 0.005110, 0.03725, 0.00409], 0.025,  [0.0053, 0.00042, 0.0240], [0.7423, 0.1485], 0.5985),
    ("eu-west-3",      [0.04860, 0.005300, 0.03890, 0.00424], 0.0297, [0.0053, 0.00042, 0.0240], [0.7423, 0.1485], 0.5985),
    ("eu-central-1",   [0.04656, 0.005110, 0.03725, 0.00409], 0.025,  [0.0054, 0.00043, 0.0245], [0.7625, 0.1525], 0.63),
    ("eu-north-1",     [0.04450, 0.004900, 0.03560, 0.00392], 0.025,  [0.0050, 0.00040, 0.0230], [0.6705, 0.1340], 0.5440),
    ("ap-south-1",     [0.04256, 0.004655, 0.03405, 0.00373], 0.0285, [0.0050, 0.00040, 0.0250], [0.7125, 0.1425], 0.67),
    ("ap-southeast-1", [0.05056, 0.005530, 0.04045, 0.00442], 0.025,  [0.0050, 0.00040, 0.0250], [0.7115, 0.1425], 0.70),
    ("ap-southeast-2", [0.04856, 0.005320, 0.03885, 0.00426], 0.025,  [0.0055, 0.00044, 0.0250], [0.7115, 0.1425], 0.67),
    ("ap-northeast-1", [0.05056, 0.005530, 0.04045, 0.00442], 0.025,  [0.0047, 0.00037, 0.0250], [0.7135, 0.1425], 0.76),
    ("ap-northeast-2", [0.04656, 0.005110, 0.03725, 0.00409], 0.0271, [0.0045, 0.00035, 0.0250], [0.6780, 0.1355], 0.76),
    ("sa-east-1",      [0.06960, 0.007600, 0.05570, 0.00612], 0.0375, [0.0070, 0.00056, 0.0405], [0.9375, 0.1875], 0.90),
];

fn row(&(region, fargate, transitions, s3, dynamodb, logs_gb): &Row) -> Prices {
    Prices {
        region,
        fargate_x86_64: Fargate {
            vcpu_hour: fargate[0],
            gb_hour: fargate[1],
        },
        fargate_arm64: Fargate {
            vcpu_hour: fargate[2],
            gb_hour: fargate[3],
        },
        lambda_x86_64_gb_s: LAMBDA_X86_64_GB_S,
        lambda_arm64_gb_s: LAMBDA_ARM64_GB_S,
        lambda_request: LAMBDA_REQUEST,
        transition: transitions / 1e3,
        s3_put: s3[0] / 1e3,
        s3_get: s3[1] / 1e3,
        s3_gb_month: s3[2],
        dynamodb_write: dynamodb[0] / 1e6,
        dynamodb_read: dynamodb[1] / 1e6,
        logs_gb,
        ipv4_hour: IPV4_HOUR,
    }
}

fn dearest() -> Prices {
    let most = |column: fn(&Prices) -> f64| table().map(|p| column(&p)).fold(0.0, f64::max);
    Prices {
        region: DEAREST,
        fargate_x86_64: Fargate {
            vcpu_hour: most(|p| p.fargate_x86_64.vcpu_hour),
            gb_hour: most(|p| p.fargate_x86_64.gb_hour),
        },
        fargate_arm64: Fargate {
            vcpu_hour: most(|p| p.fargate_arm64.vcpu_hour),
            gb_hour: most(|p| p.fargate_arm64.gb_hour),
        },
        lambda_x86_64_gb_s: most(|p| p.lambda_x86_64_gb_s),
        lambda_arm64_gb_s: most(|p| p.lambda_arm64_gb_s),
        lambda_request: most(|p| p.lambda_request),
        transition: most(|p| p.transition),
        s3_put: most(|p| p.s3_put),
        s3_get: most(|p| p.s3_get),
        s3_gb_month: most(|p| p.s3_gb_month),
        dynamodb_write: most(|p| p.dynamodb_write),
        dynamodb_read: most(|p| p.dynamodb_read),
        logs_gb: most(|p| p.logs_gb),
        ipv4_hour: most(|p| p.ipv4_hour),
    }
}
