//! The program. What it does is in the library; see `counterfoil::cli`.

use std::process::ExitCode;

/// Commands are made on one thread and freed on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    counterfoil::cli::main()
}
