//! Tells cargo about the one input that it cannot see: a migration that is added does not change any Rust file.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
