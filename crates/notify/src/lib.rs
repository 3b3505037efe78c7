//! Notifications: what a run's begin or end is told to people and programs, and how it gets there.
//!
//! Whoever finishes a run asks [`notices`] what its definition wants told, and hands each [`Notice`] to a [`Courier`]. What is not taken
//! waits in an [`Outbox`] and is tried again, by the pauses of a [`Backoff`], until it is taken, refused for good or too old: then it is
//! a dead letter, and is kept. A notice has one id however often it is sent, so that a receiver can tell a repetition.
//!
//! Nothing here decides a verdict, and nothing that fails here changes one.

mod ask;
mod aws;
mod backoff;
mod courier;
mod delivery;
mod email;
mod events;
mod http;
mod link;
mod message;
mod notice;
mod outbox;
mod refusal;
mod sign;
mod slack;
mod teams;
mod text;
mod tls;
mod webhook;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use ask::{Ask, Asked};
pub use backoff::{BACKGROUND, Backoff, FOREGROUND};
pub use courier::{Account, Courier};
pub use delivery::{Tries, deliver};
pub use events::{Moment, events};
pub use floodgate_records::reach::Reach;
pub use link::{CONSOLE_URL, Link};
pub use message::{Baseline, Data, Load, Message};
pub use notice::{Notice, notices};
pub use outbox::{Contents, Entry, Outbox, OutboxError};
pub use refusal::Refusal;
pub use sign::{BadSecret, SigningKey, signatures};
