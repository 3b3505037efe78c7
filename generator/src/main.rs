//! The program in the generator's image: one task of an execution on AWS.

use floodgate_generator::cloud;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy())
        .collect();
    match arguments.iter().map(AsRef::as_ref).collect::<Vec<_>>()[..] {
        [] => ExitCode::from(cloud::run(&|name| std::env::var(name).ok())),
        ["--help" | "-h"] => {
            print!("{}", cloud::HELP);
            ExitCode::SUCCESS
        }
        ["--version" | "-V"] => {
            println!("floodgate-generator {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        [unknown, ..] => {
            eprint!(
                "floodgate-generator: unknown argument {unknown:?}\n\n{}",
                cloud::HELP
            );
            ExitCode::from(cloud::FAILURE)
        }
    }
}
