//! The Terraform code of this repository without Terraform: parsed, and evaluated as far as its policies need.

mod functions;
pub mod module;
mod render;
mod settle;

pub use render::{Rendering, Role, render};
pub use settle::World;
