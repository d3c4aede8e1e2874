//! The `volley` binary.
fn main() {}
