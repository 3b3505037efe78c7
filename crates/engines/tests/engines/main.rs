//! Runs the real engines against a target that counts. Each test returns with a line if its engine is not here.

mod jmeter;
