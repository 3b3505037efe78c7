//! The contract.

use super::context::Decoder;
use crate::definition::keys::contract;
use crate::definition::model::ContractSpec;
use crate::definition::tree::Node;

impl Decoder<'_> {
    /// `contract`.
    pub(super) fn contract(&mut self, node: &Node) -> Option<ContractSpec> {
        let file = self.file(contract::OPENAPI.place(node)?)?;
        Some(ContractSpec {
            file,
            sample: contract::SAMPLE.or_default(node).0,
        })
    }
}
