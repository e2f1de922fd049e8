//! The store's promises, proved on SQLite always and on PostgreSQL when `KEHU_TEST_POSTGRES` names a server.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod abandoned;
mod constraints;
mod copying;
mod failing;
mod full_disk;
mod kit;
mod limits;
mod migrations;
mod model;
mod postgres_only;
mod reading;
mod settings;
mod values;
mod writing;
