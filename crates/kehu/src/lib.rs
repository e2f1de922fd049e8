//! kehu (客户): a customer management system a company hosts itself. The floors, lowest first; a lower one never
//! imports a higher one (see ARCHITECTURE.md).

// Ground.
pub mod clock;
pub mod config;
pub mod error;
pub mod i18n;
pub mod ids;
pub mod regions;
pub mod schema;

// Trust.
pub mod access;
pub mod audit;
pub mod auth;
pub mod events;
pub mod org;
pub mod settings;

// Shared machinery.
pub mod app;
pub mod calendar;
pub mod catalogue;
pub mod counters;
pub mod expr;
pub mod jobs;
pub mod lists;
pub mod numbering;
pub mod query;
pub mod search;
pub mod web;

// Customer core.
pub mod activities;
pub mod assets;
pub mod contacts;
pub mod customers;
pub mod files;
pub mod input;
pub mod strategies;

// What stands on it.
pub mod assignments;
pub mod backups;
pub mod briefings;
pub mod cases;
pub mod compliance;
pub mod confidentiality;
pub mod demo;
pub mod duties;
pub mod imports;
pub mod mail;
pub mod maintenance;
pub mod notices;
pub mod penalties;
pub mod policies;
pub mod prints;
pub mod processes;
pub mod reports;
pub mod roles;
pub mod rosters;
pub mod shares;
pub mod tasks;
pub mod workbench;

// Faces.
pub mod cli;
pub mod menu;
pub mod router;
