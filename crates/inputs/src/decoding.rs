//! Decoders of others, whose panics are errors.
//!
//! parquet's decoders assert what a damaged file breaks (found by fuzzing: a delta-packed column
//! whose pages promise more values than they have). A panic of theirs is an error here, as any
//! other damage.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use parquet::errors::ParquetError;

thread_local! {
    /// Whether this thread is in a decoder, whose panics are errors.
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// What a decoder gives; a panic of its is an error, and prints nothing.
///
/// # Errors
///
/// The decoder's.
pub fn guarded<T>(decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !DECODING.get() {
                others(panic);
            }
        }));
    });
    DECODING.set(true);
    // What the panic leaves behind is dropped, and never looked at.
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(false);
    decoded.unwrap_or_else(|panic| {
        let texts = (panic.downcast_ref::<String>().map(String::as_str), panic.downcast_ref::<&str>());
        let said = texts.0.or(texts.1.copied()).unwrap_or("nothing more");
        let reason = format!("its pages contradict each other, or memory is short; the decoder says: {said}");
        Err(ParquetError::General(reason))
    })
}
