//! Chinese text as a customer system needs it: readings, search tokens, checks of numbers, keys for finding
//! duplicates, amounts in words and masking. Pure functions: no files, no clock, no network.

pub mod amount;
pub mod check;
pub mod fold;
pub mod mask;
pub mod normal;
pub mod readings;
#[cfg(test)]
mod samples;
pub mod search;
