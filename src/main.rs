//! The `volley` binary: hands what was typed to the command line and exits with its code.

fn main() -> std::process::ExitCode {
    volley::cli::main(std::env::args_os().collect())
}
