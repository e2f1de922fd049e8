//! What data says about customers: who is the same. Pure: it reads values and answers, knows no database, no clock and no
//! randomness but a fixed seed, so that the same input has the same answer everywhere.
//!
//! - [`duplicates`]: records that may describe the same person or company, each pair with a probability and why.

pub mod duplicates;
