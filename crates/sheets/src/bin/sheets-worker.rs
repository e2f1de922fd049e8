//! The worker on its own, for programs that do not want to run themselves again.

fn main() -> std::process::ExitCode {
    sheets::worker::main()
}
