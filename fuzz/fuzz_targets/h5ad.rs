#![no_main]
//! See `bodies.rs`.

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "a target runs one of them")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::bounded_h5ad(data));
