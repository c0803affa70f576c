//! What do callers of the HTTP API see of the process itself: its memory, its metrics, its connections?

mod bytes;
mod floods;
mod metrics;
mod proxies;
mod raw;
