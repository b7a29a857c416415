#![no_main]
//! See `bodies.rs`.

use std::sync::Once;

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "a target runs one of them")]
mod bodies;

/// The fuzzer's own hook ends the process at any panic, and the reader catches those of parquet's decoders. A panic that nobody catches
/// ends it without a hook, too.
static QUIET: Once = Once::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    bodies::bounded(bodies::part, data);
});
