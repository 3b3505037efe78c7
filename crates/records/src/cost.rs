//! What a run cost.

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
    /// `fargate vCPU`, `fargate memory`, `lambda`, `step functions`, `s3 requests`, `s3 storage`, `dynamodb`, …
    pub what: String,
    /// The region of the price.
    pub region: String,
    /// How much of it.
    pub quantity: f64,
    /// `vCPU-hours`, `GB-hours`, `requests`, `GB-seconds`, `transitions`, `GB-months`, `write units`.
    pub unit: String,
    /// Quantity times price, before any free tier.
    pub usd: f64,
}
