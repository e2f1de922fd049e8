//! The migrations, and the tables `kehu db copy` moves.

use store::Migration;

/// Every step of the schema, oldest first.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_ground", sql: include_str!("../migrations/0001_ground.sql") }];

/// Every table with data of the company, parents before children. The search index is built anew by its own code,
/// and `schema_migrations` belongs to each database itself.
pub const TABLES: &[&str] = &[
    "company",
    "settings",
    "people",
    "sessions",
    "known_devices",
    "api_tokens",
    "login_throttle",
    "audit_heads",
    "audit_log",
    "events",
    "counters",
    "number_series",
    "number_blocks",
    "idempotency",
    "dictionaries",
    "dictionary_entries",
    "custom_fields",
    "customers",
    "customer_keys",
    "customer_marks",
    "contacts",
    "assets",
    "activities",
    "files",
    "jobs",
    "imports",
    "import_rows",
    "import_mappings",
    "list_settings",
    "saved_views",
];
