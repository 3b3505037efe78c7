//! The native client, which holds each response against the contract.

use super::ledger::Ledger;
use crate::exchange::ErrorCode;
use crate::flow::{Answer, ContractPlace, Io, Native, Request};
use crate::http::exchange::HttpExchange;
use crate::http::{Keep, Origin, Wire, Worker};
use floodgate_contract::Contract;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Checked {
    pub(super) inner: Native,
    pub(super) worker: Rc<Worker>,
    pub(super) contract: Arc<Contract>,
    pub(super) place: ContractPlace,
    pub(super) ledger: Rc<RefCell<Ledger>>,
}

/// A request as it is sent, and as the contract calls it.
pub(super) struct Called {
    wire: Wire,
    origin: Rc<Origin>,
    method: Rc<str>,
    /// Without a query.
    path: String,
}

impl Called {
    pub(super) fn new(request: &Request, wire: Wire) -> Self {
        let path = request.path_and_query.split('?').next();
        Self {
            wire,
            origin: Rc::clone(&request.origin),
            method: Rc::clone(&request.method),
            path: path.unwrap_or_default().to_owned(),
        }
    }
}

impl Checked {
    fn look(&self, called: &Called, exchange: &HttpExchange) {
        let mut ledger = self.ledger.borrow_mut();
        if !self.place.has(&called.origin) {
            let server = called.origin.authority();
            ledger.unknown(format!("{} {server}{}", called.method, called.path));
            return;
        }
        let found = self
            .place
            .find(&self.contract, &called.method, &called.path);
        let Some(operation) = found else {
            ledger.unknown(format!("{} {}", called.method, called.path));
            return;
        };
        match exchange.error {
            Some(error) => ledger.unanswered(&operation.name(), error),
            None => {
                let (io, status) = (&self.inner, exchange.status);
                ledger.answered(
                    &operation.name(),
                    operation.differences(&Answer { io, status }),
                );
            }
        }
    }
}

impl Io for Checked {
    type Wire = Called;

    fn prepare(&mut self, request: &Request, old: Option<Called>) -> Result<Called, ErrorCode> {
        let wire = Native::wire(&self.worker, request, old.map(|old| old.wire))?;
        Ok(Called::new(request, wire))
    }

    fn begin_iteration(&mut self) {
        self.inner.begin_iteration();
    }

    fn cookie_header(&self, request: &Request) -> Option<String> {
        self.inner.cookie_header(request)
    }

    async fn execute(&mut self, called: &Called, _: Keep, timeout: Duration) -> HttpExchange {
        let keep = Keep {
            headers: true,
            body: true,
        };
        let exchange = self.inner.execute(&called.wire, keep, timeout).await;
        self.look(called, &exchange);
        exchange
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.inner.header(name)
    }

    fn each_header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.inner.each_header(name)
    }

    fn cookie(&self, name: &str) -> Option<&[u8]> {
        self.inner.cookie(name)
    }

    fn body(&self) -> &[u8] {
        self.inner.body()
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }
}
