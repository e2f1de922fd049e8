//! The demonstration company: what a visitor sees who has no data of his own yet.

pub mod generate;
