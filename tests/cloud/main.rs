//! Runs in the emulated cloud.
