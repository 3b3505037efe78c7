//! The API behind tokens: who is let in, what their roles allow, and what is answered.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod matrix;
mod members;
mod refused;
mod slow;
mod support;
mod used;
