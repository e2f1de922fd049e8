//! The migrations, and the tables `kehu db copy` moves.

use store::Migration;

/// Every step of the schema, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_ground", sql: include_str!("../migrations/0001_ground.sql") },
    Migration { name: "0002_organisation", sql: include_str!("../migrations/0002_organisation.sql") },
    Migration {
        name: "0003_imports_undone_by",
        sql: include_str!("../migrations/0003_imports_undone_by.sql"),
    },
    Migration {
        name: "0004_numbers_of_the_living",
        sql: include_str!("../migrations/0004_numbers_of_the_living.sql"),
    },
    Migration { name: "0005_search_within", sql: include_str!("../migrations/0005_search_within.sql") },
    Migration { name: "0006_assignments", sql: include_str!("../migrations/0006_assignments.sql") },
    Migration {
        name: "0007_published_rosters",
        sql: include_str!("../migrations/0007_published_rosters.sql"),
    },
    Migration { name: "0008_registers", sql: include_str!("../migrations/0008_registers.sql") },
    Migration { name: "0009_maintenance", sql: include_str!("../migrations/0009_maintenance.sql") },
    Migration { name: "0010_acting_for", sql: include_str!("../migrations/0010_acting_for.sql") },
    Migration { name: "0011_regulations", sql: include_str!("../migrations/0011_regulations.sql") },
    Migration { name: "0012_refusals", sql: include_str!("../migrations/0012_refusals.sql") },
    Migration { name: "0013_duties", sql: include_str!("../migrations/0013_duties.sql") },
    Migration { name: "0014_mail", sql: include_str!("../migrations/0014_mail.sql") },
    Migration { name: "0015_paper", sql: include_str!("../migrations/0015_paper.sql") },
    Migration { name: "0016_briefings", sql: include_str!("../migrations/0016_briefings.sql") },
    Migration {
        name: "0017_versions_of_values",
        sql: include_str!("../migrations/0017_versions_of_values.sql"),
    },
    Migration { name: "0018_deeds", sql: include_str!("../migrations/0018_deeds.sql") },
    Migration { name: "0019_calendar", sql: include_str!("../migrations/0019_calendar.sql") },
    Migration { name: "0020_penalties", sql: include_str!("../migrations/0020_penalties.sql") },
    Migration { name: "0021_imports_again", sql: include_str!("../migrations/0021_imports_again.sql") },
    Migration { name: "0022_returned_reports", sql: include_str!("../migrations/0022_returned_reports.sql") },
    Migration {
        name: "0023_import_rows_skipped",
        sql: include_str!("../migrations/0023_import_rows_skipped.sql"),
    },
    Migration {
        name: "0024_values_of_open_cases",
        sql: include_str!("../migrations/0024_values_of_open_cases.sql"),
    },
    Migration { name: "0025_whose_customers", sql: include_str!("../migrations/0025_whose_customers.sql") },
];

/// Every table with data of the company, parents before children. The search index is built anew by its own code,
/// and `schema_migrations` belongs to each database itself.
pub const TABLES: &[&str] = &[
    "company",
    "settings",
    "calendar_days",
    "calendar_years",
    "people",
    "units",
    "unit_history",
    "positions",
    "delegations",
    "person_skills",
    "absences",
    "rosters",
    "shifts",
    "shift_changes",
    "duty_seen",
    "swaps",
    "roles",
    "role_grants",
    "role_fields",
    "post_roles",
    "person_roles",
    "rights_state",
    "role_uses",
    "position_role_reviews",
    "confidentiality_texts",
    "information_handlers",
    "confidentiality_signatures",
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
    "service_strategies",
    "customers",
    "customer_keys",
    "customer_marks",
    "customer_grants",
    "customer_exclusions",
    "contacts",
    "assets",
    "activities",
    "briefings",
    "files",
    "processes",
    "process_duties",
    "assignments",
    "assignment_steps",
    "policy_versions",
    "policy_acknowledgements",
    "cases",
    "case_people",
    "case_tasks",
    "case_trail",
    "case_values",
    "case_deeds",
    "case_deadlines",
    "notices",
    "penalties",
    "penalty_people",
    "exemptions",
    "refusals",
    "outbox_readers",
    "prints",
    "reports",
    "report_reminders",
    "case_numbers",
    "duty_rounds",
    "duty_teams",
    "duty_team_people",
    "duties",
    "duty_evidence",
    "duty_clock",
    "mail_server",
    "mail_choices",
    "mails",
    "jobs",
    "backups",
    "imports",
    "import_rows",
    "import_mappings",
    "list_settings",
    "saved_views",
];

/// The tables that migrations already fill, parents before children.
pub const SEEDED: &[&str] = &["roles", "role_grants", "rights_state"];

/// The settings that migrations already write; whatever else stands there somebody has set.
pub const SEEDED_SETTINGS: &[&str] = &["assignments"];

/// Takes what the migrations wrote out of a database nobody has set up: what is copied into it brings its own.
pub fn clear_seeds(to: &store::Db) -> store::Result<()> {
    to.write_blocking(|tx| {
        if tx.count("SELECT COUNT(*) FROM company", &[])? == 0 {
            for table in SEEDED.iter().rev() {
                tx.exec(&format!("DELETE FROM {table}"), &[])?;
            }
            for name in SEEDED_SETTINGS {
                tx.exec("DELETE FROM settings WHERE name = $1", &[(*name).into()])?;
            }
        }
        Ok::<_, store::Error>(())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use store::{Db, Engine, Location, Options};

    use super::*;

    /// Name of a column → its kind, the same word on both engines, and whether it may be NULL.
    type Columns = BTreeMap<String, (String, bool)>;

    fn schema(db: &Db) -> BTreeMap<String, Columns> {
        let sql = match db.engine() {
            // A primary key of one column is never NULL, though SQLite does not say so.
            Engine::Sqlite => {
                "SELECT m.name, c.name, c.type, CAST(c.\"notnull\" = 0 AND c.pk = 0 AS INTEGER)
                 FROM sqlite_schema m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
            }
            Engine::Postgres => {
                "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT), is_nullable = 'YES'
                 FROM information_schema.columns WHERE table_schema = current_schema()"
            }
        };
        let rows: Vec<(String, String, String, bool)> =
            db.read_blocking(move |conn| conn.rows(sql, &[])).unwrap();
        let mut tables = BTreeMap::<String, Columns>::new();
        for (table, column, kind, nullable) in rows {
            let kind = match kind.as_str() {
                "INTEGER" | "bigint" | "boolean" => "integer",
                "TEXT" | "text" | "jsonb" => "text",
                "REAL" | "double precision" => "real",
                "BLOB" | "bytea" => "bytes",
                other => other,
            };
            tables.entry(table).or_default().insert(column, (kind.to_owned(), nullable));
        }
        tables
    }

    fn sqlite() -> (tempfile::TempDir, Db) {
        let folder = tempfile::TempDir::new().unwrap();
        let db = Db::open(&Location::Sqlite(folder.path().join("kehu.db")), &Options::default()).unwrap();
        store::migrate(&db, MIGRATIONS).unwrap();
        (folder, db)
    }

    /// The search index is each engine's own; `kehu db copy` builds it anew.
    fn is_of_the_engine(table: &str) -> bool {
        table == "schema_migrations" || table.starts_with("search_")
    }

    #[test]
    fn every_table_is_copied() {
        let (_folder, db) = sqlite();
        let mut listed: Vec<&str> = TABLES.to_vec();
        listed.sort_unstable();
        let tables = schema(&db);
        let there: Vec<&str> = tables.keys().map(String::as_str).filter(|t| !is_of_the_engine(t)).collect();
        assert_eq!(there, listed);
    }

    #[test]
    fn parents_are_copied_before_children() {
        let (_folder, db) = sqlite();
        let links: Vec<(String, String)> = db
            .read_blocking(|conn| {
                conn.rows(
                    "SELECT m.name, f.\"table\" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
                     WHERE m.type = 'table'",
                    &[],
                )
            })
            .unwrap();
        assert!(!links.is_empty());
        let place = |name: &str| TABLES.iter().position(|t| *t == name);
        for (child, parent) in links {
            assert!(place(&parent) < place(&child), "{child} is copied before {parent}");
        }
    }

    #[test]
    fn both_engines_have_the_same_tables_and_columns() {
        let Ok(server) = std::env::var("KEHU_TEST_POSTGRES") else {
            println!("skipped: KEHU_TEST_POSTGRES names no server");
            return;
        };
        let (_folder, sqlite) = sqlite();
        let name = format!("kehu_test_{}", store::format_id(store::new_id()).to_lowercase());
        let options = Options { readers: 1, writers: 1, allow_unsafe: true, ..Options::default() };
        let admin = Db::open(&Location::Postgres(server.clone()), &options).unwrap();
        let create = format!("CREATE SCHEMA {name}");
        admin.write_blocking(move |tx| tx.exec(&create, &[])).unwrap();
        let url = format!("{server}?options=-csearch_path%3D{name}");
        let postgres = Db::open(&Location::Postgres(url), &options).unwrap();
        let migrated = store::migrate(&postgres, MIGRATIONS).map(|_| schema(&postgres));
        let drop = format!("DROP SCHEMA {name} CASCADE");
        admin.write_blocking(move |tx| tx.exec(&drop, &[])).unwrap();
        let of = |tables: BTreeMap<String, Columns>| {
            tables.into_iter().filter(|(t, _)| !t.starts_with("search_")).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(of(schema(&sqlite)), of(migrated.unwrap()));
    }
}
