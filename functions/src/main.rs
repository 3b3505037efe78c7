//! The program of all functions: `FLOODGATE_FUNCTION` says which one this is.

use std::process::ExitCode;

fn main() -> ExitCode {
    floodgate_functions::main()
}
