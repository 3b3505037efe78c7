//! Who looks on at runs that go on.

use floodgate_control::watch::Observer;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// By the run's id: what one has read, the next look need not read again.
pub(crate) type Observers = Mutex<HashMap<String, Arc<Mutex<Observer>>>>;
