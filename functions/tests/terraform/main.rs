//! The Terraform code, parsed without Terraform: held against the functions that it deploys, and against house style.
//!
//! `UPDATE=1 cargo test -p floodgate-functions --test terraform` (or `cargo xtask terraform docs`) writes the tables of the
//! READMEs anew.

mod code;
mod docs;
mod emulated;
mod exports;
mod policy;
mod roles;
mod stack;
mod style;
mod tenants;
mod trail;

use floodgate_gateway::terraform::module;
