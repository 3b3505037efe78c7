//! What executions cost.

use super::{DynamoStore, item};
use crate::aws::store_error;
use crate::keys::{check_month, check_name, check_usd};
use crate::{Result, StoreError};

impl DynamoStore {
    /// An item an execution, so that saying it again replaces it, and executions that end together do not wait for each other.
    pub(super) async fn write_spend(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        usd: f64,
    ) -> Result<()> {
        check_name(project)?;
        check_month(yyyymm)?;
        check_name(execution)?;
        check_usd(execution, usd)?;
        let key = format!("SPEND#{yyyymm}#{execution}");
        let writing = self
            .putting(project, &key)
            // Numbers of DynamoDB have 38 digits and reach down to 1e-130, which a cost need not.
            .item("usd", item::number(format!("{usd:.12}")));
        match writing.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(store_error("write", &self.name(&key), error)),
        }
    }

    /// The sum over the month's executions: 10,000 of them are about 1 MB to read.
    pub(super) async fn sum_spend(&self, project: &str, yyyymm: &str) -> Result<f64> {
        check_name(project)?;
        check_month(yyyymm)?;
        let start = format!("SPEND#{yyyymm}#");
        let mut total = 0.0;
        for item in self.all(project, &start, "usd").await? {
            let usd = item.get("usd").and_then(|usd| usd.as_n().ok());
            total += usd.and_then(|usd| usd.parse::<f64>().ok()).ok_or_else(|| {
                StoreError::corrupt(self.name(&start), "an item has no number usd")
            })?;
        }
        Ok(total)
    }
}
