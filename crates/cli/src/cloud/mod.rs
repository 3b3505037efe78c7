//! Runs in the stack on AWS: started, followed and read from here. Nothing of this is set up unless `--cloud` is said.

mod follow;
mod machine;
mod settings;
mod start;

use follow::Follow;
pub(crate) use follow::{EndedRun, follow};
pub(crate) use machine::{Caller, caller, running};
pub(crate) use settings::{CONNECTION, Named, Place};
pub(crate) use start::{Dry, StartRequest, estimate, start};

use crate::args::{CloudArgs, ShowArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use aws_config::SdkConfig;
use floodgate_control::Stores;
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::s3::S3Store;
use machine::AwsMachine;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at a run: its figures change every few seconds.
pub(crate) const PACE: Duration = Duration::from_millis(1_500);

/// A stack that can be talked to.
pub(crate) struct Cloud {
    /// Its bucket and table.
    pub(crate) stores: Stores,
    /// Its state machine.
    pub(crate) machine: AwsMachine,
    /// Who we are to AWS, as an ARN.
    pub(crate) caller: String,
}

impl Cloud {
    /// A following of one of its runs.
    pub(crate) fn following<'a>(
        &'a self,
        id: &'a str,
        project: Option<String>,
        env: &'a Environment,
        show: ShowArgs,
    ) -> Follow<'a, AwsMachine> {
        Follow {
            stores: &self.stores,
            machine: &self.machine,
            id,
            project,
            env,
            by: &self.caller,
            show,
            pace: PACE,
        }
    }
}

/// How AWS is talked to: with a region that is said, else that of the environment or the profile.
pub(crate) async fn config(region: Option<&str>) -> SdkConfig {
    let mut loader = floodgate_store::aws::loader();
    if let Some(region) = region {
        loader = loader.region(aws_config::Region::new(region.to_owned()));
    }
    loader.load().await
}

/// The region of a configuration.
///
/// # Errors
/// [`CliError::Usage`] if nothing names one.
pub(crate) fn region(config: &SdkConfig) -> Result<String> {
    let region = config.region().map(ToString::to_string);
    region.ok_or_else(|| {
        CliError::usage("no AWS region: pass --region, set AWS_REGION, or set one in the profile")
    })
}

/// Finds the stack and asks AWS who we are, which also shows that there are credentials. `project` is whose runs are meant, where that
/// is known.
///
/// # Errors
/// What is missing, with what to do about it.
pub(crate) async fn connect(args: &CloudArgs, project: Option<&str>, out: &Path) -> Result<Cloud> {
    let named = Named::find(args, out)?;
    let config = config(named.region.as_deref()).await;
    let region = region(&config)?;
    let caller = machine::caller(&config).await?;
    let place = Place::of(named, project, &region, &caller)?;
    let stores = Stores {
        objects: Arc::new(S3Store::new(&config, place.bucket).outside()),
        records: Arc::new(DynamoStore::new(&config, place.table)),
    };
    Ok(Cloud {
        stores,
        machine: AwsMachine::new(&config, place.state_machines),
        caller: caller.arn,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
