//! Gatling.
