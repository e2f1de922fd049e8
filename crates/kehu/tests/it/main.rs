//! Stories over HTTP, one module a feature. Each test has a company and a database of its own; `both` tells the same
//! story on SQLite and, when `KEHU_TEST_POSTGRES` names a server, on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on shall stop")]

mod app;

mod access;
mod activities;
mod analyze;
mod assets;
mod assignments;
mod audit;
mod auth;
mod backups;
mod backups_cli;
mod briefings;
mod calendar;
mod cases;
mod cases_pages;
mod catalogue;
mod cli;
mod confidentiality;
mod contacts;
mod counts;
mod customers_api;
mod customers_pages;
mod demo;
mod duties;
mod duty;
mod exports;
mod files;
mod imports;
mod imports_again;
mod imports_doubts;
mod imports_tables;
mod jobs;
mod late;
mod mail;
mod organisation;
mod paper;
mod parameters;
mod penalties;
mod people;
mod policies;
mod policies_cli;
mod policies_guide;
mod postings;
mod processes;
mod programs;
mod repair;
mod replay;
mod rights;
mod roles;
mod rosters;
mod routes;
mod search;
mod serving;
mod shares;
mod stopping;
mod strategies;
mod swaps;
mod tasks;
mod vip;
mod visitors;
mod withheld;
mod workbench;

pub use app::{Answer, Client, TestApp, both, both_empty};
