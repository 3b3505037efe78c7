//! What every store must do, as tests that run on any of them: call the functions from a test with an empty store. They panic where
//! it falls short.

mod objects;
mod records;

pub use objects::objects;
pub use records::records;

use floodgate_records::engine::Engine;
use floodgate_records::execution::Execution;

/// A record to test with.
pub fn execution(project: &str, test: &str, id: &str) -> Execution {
    Execution {
        version: "0".repeat(64),
        engine: Engine::Http.into(),
        reasons: vec!["because of \"quotes\" and\nlines".to_owned()],
        ..Execution::created(id, project, test, 1_700_000_000_000)
    }
}
