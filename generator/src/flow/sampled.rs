//! Responses of the load that are held against the contract: each so-manieth of a step.

use super::contract::Place;
use super::io::Request;
use super::series::CheckTags;
use crate::http::Keep;
use floodgate_contract::{Contract, Operation};
use floodgate_core::definition::Definition;
use floodgate_records::metric::Tags;
use std::cell::Cell;
use std::sync::Arc;

/// The tag `check` of these checks.
const CHECK: &str = "contract";

/// The sampling of one step.
#[derive(Debug)]
pub(crate) struct Sampled {
    contract: Arc<Contract>,
    place: Place,
    /// One of so many.
    every: u32,
    passed: Cell<u32>,
    pub(super) series: CheckTags,
}

impl Sampled {
    /// `None` if no response is to be checked.
    pub(super) fn new(
        definition: &Definition,
        contract: Option<&Arc<Contract>>,
        tags: &Tags,
    ) -> Option<Box<Self>> {
        let sample = definition.contract.as_ref()?.sample;
        if sample <= 0.0 {
            return None;
        }
        // 1 % is one of a hundred; more than all of them is all of them.
        let every = (1.0 / sample).round().clamp(1.0, 1e9) as u32;
        Some(Box::new(Self {
            contract: Arc::clone(contract?),
            place: Place::of(definition),
            every,
            passed: Cell::new(0),
            series: CheckTags::new(tags.clone().with("check", CHECK)),
        }))
    }

    /// Whether the next response is one of them: the first is.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        let passed = self.passed.get();
        self.passed.set(if passed + 1 >= self.every {
            0
        } else {
            passed + 1
        });
        passed == 0
    }

    /// What the contract says of a request; `None` if it is none of the API, or not in the document.
    pub(super) fn operation(&self, request: &Request) -> Option<&Operation> {
        let (method, path) = (&request.method, &request.path_and_query);
        let is_there = self.place.has(&request.origin);
        is_there.then(|| self.place.find(&self.contract, method, path))?
    }

    /// What has to be kept of a response.
    pub(super) const KEEP: Keep = Keep {
        headers: true,
        body: true,
    };
}
