//! A test plan (JMX) as a list of its elements, each value with its place in the file, so that a copy can be changed value by value
//! and keeps every other byte.

mod edits;
mod expression;
mod group;
mod model;
mod parse;
mod reference;
mod scope;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub(super) use edits::Edits;
pub(super) use expression::{Values, arguments, parameters};
pub(super) use group::{Group, Kind};
pub(super) use model::{Element, Plan, Prop};
pub(super) use reference::resolved;
pub(super) use scope::{checks, is_assertion, is_sampler, is_timer};
