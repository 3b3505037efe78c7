//! Reading many objects: several on their way at a time, handed on in order.

use bytes::Bytes;
use floodgate_store::{ObjectStore, Result};
use futures_util::stream::{self, Stream, StreamExt};

/// Objects that are on their way at a time: S3 answers in some tens of milliseconds, so that this many keep a CPU busy that
/// takes milliseconds an object, and bound what is held in memory.
const AHEAD: usize = 32;

/// Large objects that are on their way at a time.
const FEW: usize = 2;

/// Reads objects in the order of their keys, a few ahead of the reader.
pub(crate) fn read<'a>(
    objects: &'a dyn ObjectStore,
    keys: impl Iterator<Item = String> + Send + 'a,
) -> impl Stream<Item = Result<Option<Bytes>>> + Send + 'a {
    read_ahead(objects, keys, AHEAD)
}

/// The same for objects so large that only the next one should be on its way.
pub(crate) fn read_few<'a>(
    objects: &'a dyn ObjectStore,
    keys: impl Iterator<Item = String> + Send + 'a,
) -> impl Stream<Item = Result<Option<Bytes>>> + Send + 'a {
    read_ahead(objects, keys, FEW)
}

fn read_ahead<'a>(
    objects: &'a dyn ObjectStore,
    keys: impl Iterator<Item = String> + Send + 'a,
    ahead: usize,
) -> impl Stream<Item = Result<Option<Bytes>>> + Send + 'a {
    stream::iter(keys)
        .map(move |key| async move { objects.get(&key).await })
        .buffered(ahead)
}
