//! Ends of threads; a panic of one is passed on.

use std::thread::JoinHandle;

/// Waits for a thread.
pub(super) fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| resume(panic))
}

/// Goes on with a panic.
pub(super) fn resume(panic: Box<dyn std::any::Any + Send>) -> ! {
    std::panic::resume_unwind(panic)
}
