//! The command-line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    crawlguard::cli::main(std::env::args_os())
}
