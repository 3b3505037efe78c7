//! What the secrets of a definition stand for, remembered so that samples can leave it out.

use floodgate_core::definition::Resolver;
use std::sync::{Mutex, PoisonError};

/// A resolver that remembers the secrets it gave.
pub(super) struct Remembering<'a> {
    inner: &'a (dyn Resolver + Send + Sync),
    given: Mutex<Vec<String>>,
}

impl<'a> Remembering<'a> {
    pub(super) fn new(inner: &'a (dyn Resolver + Send + Sync)) -> Self {
        Self {
            inner,
            given: Mutex::default(),
        }
    }

    /// The secrets that were given.
    pub(super) fn given(self) -> Vec<String> {
        self.given
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolver for Remembering<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.inner.env(name)
    }

    fn secret(&self, reference: &str) -> Result<String, String> {
        let secret = self.inner.secret(reference)?;
        self.given
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(secret.clone());
        Ok(secret)
    }

    fn file_exists(&self, relative: &str) -> bool {
        self.inner.file_exists(relative)
    }
}
