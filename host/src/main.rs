//! The program: parse, run, exit code.

use mimalloc::MiMalloc;

/// musl's allocator maps and unmaps memory for most of what a short run allocates, under one lock for all threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    stead::cli::main()
}
