//! Terraform and Docker, which bring a stack into an account.

use crate::tools::{self, Tool, ToolError};
use floodgate_report::doctor::{Area, Check, State};

/// Looks for both.
pub(super) fn checks() -> Vec<Check> {
    let tools = [Tool::Terraform, Tool::Docker];
    tools.map(|tool| judge(tool, tools::find(tool))).into()
}

fn judge(tool: Tool, found: Result<String, ToolError>) -> Check {
    let said = |text: String| Check::ok(Area::Here, tool.name(), text);
    match found {
        Ok(version) => said(version),
        Err(ToolError::Missing { remedy, .. }) => {
            said("not found, and needed for floodgate deploy alone".into())
                .but(State::Absent, remedy)
        }
        Err(ToolError::Unusable {
            problem, remedy, ..
        }) => {
            said(format!("{problem}; needed for floodgate deploy alone")).but(State::Absent, remedy)
        }
    }
}
