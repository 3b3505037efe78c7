//! What can be done in a project.

use crate::role::Role;
use floodgate_records::words;

words! {
    /// What can be done in a project.
    pub Action {
        /// Lists and shows runs, live ones too, with their verdicts and reports.
        ReadRuns = "read runs",
        /// Lists tests, versions and definitions.
        ReadTests = "read tests",
        /// Shows what thresholds came to over time.
        ReadThresholds = "read thresholds",
        /// Shows which run is a test's baseline.
        ReadBaselines = "read baselines",
        /// Lists who may do what.
        ReadMembers = "read members",
        /// Reads the audit trail.
        ReadAudit = "read audit",
        /// Shows what runs cost.
        ReadSpend = "read spend",
        /// Lists schedules.
        ReadSchedules = "read schedules",
        /// Adds versions of tests.
        DefineTests = "define tests",
        /// Starts runs.
        StartRuns = "start runs",
        /// Stops runs.
        AbortRuns = "abort runs",
        /// Changes thresholds apart from a definition.
        ChangeThresholds = "change thresholds",
        /// Pins a run as a test's baseline, or takes the pin away.
        ChangeBaselines = "change baselines",
        /// Gives and takes roles.
        ChangeMembers = "change members",
        /// Changes what runs and months may cost, and turns the switch that lets nothing start.
        ChangeBudgets = "change budgets and halt the project",
        /// Adds, pauses and removes schedules.
        ChangeSchedules = "change schedules",
    }
}

impl Action {
    /// The least role that may do it.
    pub const fn needs(self) -> Role {
        match self {
            Self::ReadRuns
            | Self::ReadTests
            | Self::ReadThresholds
            | Self::ReadBaselines
            | Self::ReadMembers
            | Self::ReadAudit
            | Self::ReadSpend
            | Self::ReadSchedules => Role::Viewer,
            Self::DefineTests | Self::StartRuns | Self::AbortRuns => Role::Tester,
            Self::ChangeThresholds
            | Self::ChangeBaselines
            | Self::ChangeMembers
            | Self::ChangeBudgets
            | Self::ChangeSchedules => Role::Admin,
        }
    }
}
