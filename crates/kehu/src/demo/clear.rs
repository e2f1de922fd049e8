//! Taking the demonstration away: what is left is an empty company of one's own.

use store::{Engine, Tx};

use super::generate::PEOPLE;
use crate::access::{Actor, require_administrator};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::{org, text};

/// Removes every customer and what hangs on it, cases, tasks, imports, counts, the regulations, service strategies,
/// processes, units and roles it came with, and the demonstration's people, whose password everybody knows; names the company anew. The
/// administrator who does it stays and must choose a new password when he is one of them. The audit log, the
/// dictionaries, people, units and roles he added stay. Refused for a real company.
pub fn clear(tx: &mut Tx<'_>, actor: &Actor, company: &str, now: Millis) -> Result<(), AppError> {
    require_administrator(actor)?;
    let known: Option<(String, bool)> = tx.row("SELECT name, is_demo FROM company WHERE id = 1", &[])?;
    let (before, _) = known
        .filter(|(_, is_demo)| *is_demo)
        .ok_or_else(|| AppError::Conflict(text!("这里不是演示公司，没有可清除的演示数据")))?;
    let company = company.trim();
    if company.is_empty() || company.chars().count() > 100 {
        return Err(AppError::field("company", text!("请填写公司名称，最多 100 个字")));
    }
    remove_regulations(tx, actor)?;
    remove_data(tx, now)?;
    remove_register(tx)?;
    remove_people(tx, actor)?;
    remove_organisation(tx)?;
    org::rights_changed(tx)?;
    tx.exec("UPDATE company SET name = $1, is_demo = FALSE WHERE id = 1", &[company.into()])?;
    let (before, after) =
        (serde_json::json!({ "company": before }), serde_json::json!({ "company": company }));
    audit::record(tx, actor, now, &Entry::of("demo.cleared", "company", 1).change(&before, &after))?;
    Ok(())
}

/// Removes all cases, and the versions of regulations the demonstration's people made; those an administrator of one's own
/// made stay, under his name alone.
fn remove_regulations(tx: &mut Tx<'_>, actor: &Actor) -> store::Result<()> {
    for table in [
        "briefings",
        "prints",
        "report_reminders",
        "reports",
        "notices",
        "penalty_people",
        "penalties",
        "exemptions",
        "refusals",
        "case_deadlines",
        "case_deeds",
        "case_values",
        "case_trail",
        "case_tasks",
        "case_people",
        "cases",
        "case_numbers",
    ] {
        tx.exec(&format!("DELETE FROM {table}"), &[])?;
    }
    for person in &PEOPLE {
        let id: Option<i64> =
            tx.value("SELECT id FROM people WHERE username = $1", &[person.username.into()])?;
        let Some(id) = id else { continue };
        tx.exec("DELETE FROM policy_acknowledgements WHERE person_id = $1", &[id.into()])?;
        tx.exec(
            "DELETE FROM policy_acknowledgements WHERE version_id IN
               (SELECT id FROM policy_versions WHERE created_by = $1)",
            &[id.into()],
        )?;
        tx.exec("DELETE FROM policy_versions WHERE created_by = $1", &[id.into()])?;
        for column in ["updated_by", "published_by"] {
            tx.exec(
                &format!("UPDATE policy_versions SET {column} = $2 WHERE {column} = $1"),
                &[id.into(), actor.person_id.into()],
            )?;
        }
    }
    Ok(())
}

fn remove_data(tx: &mut Tx<'_>, now: Millis) -> store::Result<()> {
    for table in ["import_rows", "imports", "import_mappings", "saved_views"] {
        tx.exec(&format!("DELETE FROM {table}"), &[])?;
    }
    tx.exec("DELETE FROM jobs WHERE state <> 'running'", &[])?;
    tx.exec("UPDATE backups SET state = 'cancelled' WHERE state = 'waiting'", &[])?;
    tx.exec("UPDATE backups SET verification = '' WHERE verification = 'waiting'", &[])?;
    // The files themselves are purged later, as those of any deleted record.
    tx.exec("UPDATE files SET customer_id = NULL, deleted_at = COALESCE(deleted_at, $1)", &[now.into()])?;
    for table in [
        "assignment_steps",
        "assignments",
        "activities",
        "assets",
        "contacts",
        "customer_marks",
        "customer_keys",
        "customer_grants",
        "customer_exclusions",
        "customers",
        "events",
    ] {
        tx.exec(&format!("DELETE FROM {table}"), &[])?;
    }
    // Those of the administrators have an author.
    tx.exec(
        "DELETE FROM process_duties WHERE process_id IN (SELECT id FROM processes WHERE created_by = 0)",
        &[],
    )?;
    tx.exec("DELETE FROM processes WHERE created_by = 0", &[])?;
    tx.exec("DELETE FROM service_strategies WHERE created_by = 0", &[])?;
    for table in ["counters", "number_blocks", "number_series", "idempotency"] {
        tx.exec(&format!("DELETE FROM {table}"), &[])?;
    }
    match tx.engine() {
        Engine::Sqlite => tx.exec("INSERT INTO search_docs (search_docs) VALUES ('delete-all')", &[])?,
        Engine::Postgres => tx.exec("DELETE FROM search_docs", &[])?,
    };
    Ok(())
}

/// Removes the register of the demonstration with its texts, and what was noted of its roles; the switch goes off.
fn remove_register(tx: &mut Tx<'_>) -> store::Result<()> {
    for table in [
        "confidentiality_signatures",
        "information_handlers",
        "confidentiality_texts",
        "position_role_reviews",
        "role_uses",
    ] {
        tx.exec(&format!("DELETE FROM {table}"), &[])?;
    }
    tx.exec("DELETE FROM settings WHERE name = $1", &[org::HANDLERS.into()]).map(drop)
}

fn remove_people(tx: &mut Tx<'_>, actor: &Actor) -> Result<(), AppError> {
    for person in &PEOPLE {
        let id: Option<i64> =
            tx.value("SELECT id FROM people WHERE username = $1", &[person.username.into()])?;
        let Some(id) = id else { continue };
        for table in ["sessions", "known_devices", "api_tokens"] {
            if id != actor.person_id.0 || table == "api_tokens" {
                tx.exec(&format!("DELETE FROM {table} WHERE person_id = $1"), &[id.into()])?;
            }
        }
        if id == actor.person_id.0 {
            tx.exec("UPDATE people SET must_change_password = TRUE WHERE id = $1", &[id.into()])?;
        } else {
            tx.exec("DELETE FROM swaps WHERE from_id = $1 OR to_id = $1", &[id.into()])?;
            tx.exec("DELETE FROM shift_changes WHERE person_id = $1 OR new_person_id = $1", &[id.into()])?;
            for table in [
                "list_settings",
                "person_roles",
                "positions",
                "person_skills",
                "absences",
                "shifts",
                "duty_seen",
            ] {
                tx.exec(&format!("DELETE FROM {table} WHERE person_id = $1"), &[id.into()])?;
            }
            tx.exec("DELETE FROM delegations WHERE from_id = $1 OR to_id = $1", &[id.into()])?;
            tx.exec("UPDATE positions SET superior_id = NULL WHERE superior_id = $1", &[id.into()])?;
            tx.exec("UPDATE units SET head_id = NULL WHERE head_id = $1", &[id.into()])?;
            tx.exec("DELETE FROM people WHERE id = $1", &[id.into()])?;
        }
    }
    Ok(())
}

/// Removes the units that nobody in the company made, with the posts and rosters in them, and the roles nobody made,
/// unless somebody who stays has been given one.
fn remove_organisation(tx: &mut Tx<'_>) -> store::Result<()> {
    let units: Vec<(i64,)> = tx.rows(
        "SELECT h.unit_id FROM unit_history h WHERE h.changed_by = 0 AND NOT EXISTS
           (SELECT 1 FROM unit_history e WHERE e.unit_id = h.unit_id AND e.since < h.since)",
        &[],
    )?;
    for (unit,) in units {
        for table in ["swaps", "shift_changes", "shifts"] {
            tx.exec(
                &format!(
                    "DELETE FROM {table} WHERE roster_id IN (SELECT id FROM rosters WHERE unit_id = $1)"
                ),
                &[unit.into()],
            )?;
        }
        for table in ["rosters", "positions", "unit_history", "person_roles"] {
            tx.exec(&format!("DELETE FROM {table} WHERE unit_id = $1"), &[unit.into()])?;
        }
        for table in ["units", "unit_history"] {
            tx.exec(&format!("UPDATE {table} SET parent_id = NULL WHERE parent_id = $1"), &[unit.into()])?;
        }
        tx.exec("DELETE FROM process_duties WHERE unit_id = $1", &[unit.into()])?;
        tx.exec("DELETE FROM units WHERE id = $1", &[unit.into()])?;
    }
    // Grants of the demonstration itself do not keep its roles.
    tx.exec(
        "DELETE FROM person_roles WHERE granted_by = 0 AND role_id IN
           (SELECT id FROM roles WHERE created_by = 0 AND is_builtin = FALSE)",
        &[],
    )?;
    let roles: Vec<(i64,)> = tx.rows(
        "SELECT id FROM roles r WHERE created_by = 0 AND is_builtin = FALSE
           AND NOT EXISTS (SELECT 1 FROM person_roles p WHERE p.role_id = r.id)",
        &[],
    )?;
    for (role,) in roles {
        for table in ["role_grants", "role_fields", "post_roles"] {
            tx.exec(&format!("DELETE FROM {table} WHERE role_id = $1"), &[role.into()])?;
        }
        tx.exec("DELETE FROM roles WHERE id = $1", &[role.into()])?;
    }
    Ok(())
}
