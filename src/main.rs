//! The program. What it does is in the library; see `counterfoil::cli`.

use std::process::ExitCode;

/// Commands are allocated on one thread and freed on another, which is slow with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    counterfoil::cli::main()
}
