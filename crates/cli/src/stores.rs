//! Where a command finds executions: in the stack, or in the folder of this machine.

use crate::args::{CloudArgs, OutArgs, ProjectArgs};
use crate::cloud::connect;
use crate::error::Result;
use crate::local::open_existing;
use floodgate_control::Stores;
use floodgate_store::local::LocalStore;
use std::sync::Arc;

/// What a command reads and changes executions through.
pub(crate) enum Executions {
    /// In a stack on AWS.
    Cloud {
        stores: Stores,
        /// Who asks, as an ARN.
        caller: String,
    },
    /// In a folder.
    Local {
        stores: Stores,
        folder: Arc<LocalStore>,
    },
}

impl Executions {
    /// The stack's with `--cloud`, else those of the folder.
    ///
    /// # Errors
    /// A stack that cannot be found or reached; a folder that is not there.
    pub(crate) async fn open(
        cloud: &CloudArgs,
        project: &ProjectArgs,
        out: &OutArgs,
    ) -> Result<Self> {
        if cloud.cloud {
            let cloud = connect(cloud, project.project.as_deref(), &out.out).await?;
            return Ok(Self::Cloud {
                stores: cloud.stores,
                caller: cloud.caller,
            });
        }
        let (stores, folder) = open_existing(&out.out)?;
        Ok(Self::Local { stores, folder })
    }

    /// The stores, wherever they are.
    pub(crate) fn stores(&self) -> &Stores {
        match self {
            Self::Cloud { stores, .. } | Self::Local { stores, .. } => stores,
        }
    }

    /// The folder of executions on this machine; `None` in the cloud.
    pub(crate) fn folder(&self) -> Option<&LocalStore> {
        match self {
            Self::Cloud { .. } => None,
            Self::Local { folder, .. } => Some(folder),
        }
    }
}
