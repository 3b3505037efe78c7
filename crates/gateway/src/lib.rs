//! Stands in front of an emulated AWS and lets through what the policies in its IAM allow, as AWS would; and renders the policies that
//! Terraform gives a stack, for an emulator that has no Terraform in front of it.
//!
//! Emulators here take any credentials and enforce nothing. The access key of a caller is the name of its role, or of a managed policy,
//! which then is all that it has; `test` may do anything and is not counted: it is whoever deploys and looks on.

pub mod accounts;
pub mod call;
pub mod ledger;
pub mod server;
pub mod terraform;
mod upstream;
mod xml;
