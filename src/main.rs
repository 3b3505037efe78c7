//! The program. Everything it does is in [`floodgate_cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    floodgate_cli::main(std::env::args_os())
}
