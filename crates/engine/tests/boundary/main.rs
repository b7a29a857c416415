//! Critical alignments: the search on critical values that are known, and on problems.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![allow(clippy::float_cmp, reason = "the same bits are the same numbers")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]

mod brute_force;
mod cells;
mod datasets;
mod search;
