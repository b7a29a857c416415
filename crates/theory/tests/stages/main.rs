//! Stages of views: their closed forms against enumeration, against draws, and against theorems.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod enumeration;
mod faults;
mod features;
mod monte_carlo;
mod reference;
mod table;
mod theorems;
mod tiers;
