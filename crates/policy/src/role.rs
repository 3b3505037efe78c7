//! What somebody is in a project.

use floodgate_records::words;

words! {
    /// What somebody is in a project. Each role may do what those before it may.
    pub Role {
        /// Reads.
        Viewer = "viewer",
        /// Defines tests, and starts and stops runs.
        Tester = "tester",
        /// Decides what runs are held against, what they may cost, and who may do what.
        Admin = "admin",
    }
}
