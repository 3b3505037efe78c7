//! jmeter.
use crate::launch::{Job, Launch, LaunchError};

/// Not yet.
///
/// # Errors
/// Always.
pub fn launch(job: &Job<'_>) -> Result<Launch, LaunchError> {
    Err(LaunchError::Script {
        script: job.script.to_owned(),
        problem: "not yet".into(),
    })
}

/// Not yet.
pub fn import(_: &[u8]) -> Option<Box<dyn crate::Reader>> {
    None
}
