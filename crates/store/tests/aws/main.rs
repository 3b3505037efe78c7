//! The stores on AWS: against an emulator at `FLOODGATE_TEST_ENDPOINT` (`http://127.0.0.1:PORT`; without it those tests say that
//! they were left out), and against answers that no emulator gives.
#![allow(clippy::unwrap_used)]

mod emulator;
mod errors;
mod faults;
mod proxy;
mod support;
mod trail;
