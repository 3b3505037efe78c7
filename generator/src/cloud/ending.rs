//! How a task ends, and how long that may take.

use std::time::Duration;

/// ECS kills a container at most 120 s after SIGTERM (`stopTimeout`,
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>), and a Spot task is gone two
/// minutes after its warning. Before that, the process ends by itself and says what it leaves.
pub const AFTER_SIGNAL: Duration = Duration::from_secs(110);
/// The same after the deadline.
pub const AFTER_DEADLINE: Duration = Duration::from_secs(120);
/// Exit code of a task that wrote its manifest.
pub const SUCCESS: u8 = 0;
/// Exit code of a task that did not, or whose manifest says that it failed.
pub const FAILURE: u8 = 97;
