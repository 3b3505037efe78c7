//! Who may do what in a project: one pure function, [`decide`], for the API, the command line and the console; what runs may cost
//! ([`budget`]), and what becomes of scheduled starts ([`schedule`]).
//!
//! A role is held in a project, never everywhere: whoever has none there is told that there is no such project, as for one that doesn't
//! exist. What the machine or the account allows besides is another line of defence, and none of this.

mod action;
pub mod budget;
mod grants;
mod role;
pub mod schedule;

pub use action::Action;
pub use grants::{Decision, Grants, Scope, decide};
pub use role::Role;
