//! What the requests of one thread use, one after the other.

use super::head::Memo;
use crate::clock::Clock;
use floodgate_records::connections::Connections;
use std::cell::RefCell;

/// The one read buffer of a worker: a response up to this size comes in one read.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// See the [module](self).
#[derive(Debug)]
pub(super) struct ThreadState {
    pub(super) clock: Clock,
    /// The one read buffer.
    pub(super) buffer: RefCell<Box<[u8]>>,
    pub(super) memo: RefCell<Memo>,
    /// What becomes of connections.
    pub(super) account: RefCell<Connections>,
}

impl ThreadState {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            buffer: RefCell::new(vec![0; READ_BUFFER_BYTES].into_boxed_slice()),
            memo: RefCell::default(),
            account: RefCell::default(),
        }
    }
}
