//! The program of the API's function, apart from the others: it starts in a fraction of the time that theirs would take with its routes.

use std::process::ExitCode;

fn main() -> ExitCode {
    floodgate_functions::api::main()
}
