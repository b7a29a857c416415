//! Data sets on disk: what an interruption or damage leaves is put right to identical bytes, what
//! is not ours is left alone, a part says what was computed, and shards and growth change no row.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod any_damage;
mod columns;
mod damage;
mod extension;
mod history;
mod layout;
mod locks;
mod lost_sections;
mod refusal;
mod resume;
mod rows;
mod shards;
mod summary;
mod three_parts;
