//! Gathering notices into mails: each once, several for one person into one mail.

use std::collections::BTreeMap;

use store::{Tx, Value as Sql};

use crate::cases::Ground;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{MailId, PersonId};

/// The name under which mail remembers how far it has read the notices.
const READER: &str = "mail";
/// Notices read at once.
const BATCH: i64 = 500;
/// Ids are made before their transactions commit: what is younger may still be overtaken.
const SETTLED: Millis = 2_000;
/// Most lines of a mail; what more there is, the program tells.
const MOST_LINES: usize = 50;

/// How far the notices have been read. What people were told before mail was there is not sent.
fn position(tx: &mut Tx<'_>, now: Millis) -> store::Result<i64> {
    let last: Option<i64> =
        tx.value("SELECT COALESCE(MAX(id), 0) FROM notices WHERE at < $1", &[now.into()])?;
    tx.exec(
        "INSERT INTO outbox_readers (reader, event_id) VALUES ($1, $2) ON CONFLICT (reader) DO NOTHING",
        &[READER.into(), last.unwrap_or(0).into()],
    )?;
    let lock = tx.for_change();
    let sql = format!("SELECT event_id FROM outbox_readers WHERE reader = $1 {lock}");
    Ok(tx.value(&sql, &[READER.into()])?.unwrap_or(0))
}

/// Whether somebody was told something nobody has looked at for mail.
pub(super) fn is_behind(tx: &mut Tx<'_>, now: Millis) -> store::Result<bool> {
    let from = position(tx, now)?;
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM notices WHERE id > $1 AND at <= $2 LIMIT 1) new";
    Ok(tx.count(sql, &[from.into(), (now - SETTLED).into()])? > 0)
}

/// Makes mails of the next notices, for those who want any and may handle what stands in them; says whether there may be
/// more. `domain` is the right side of Message-IDs.
pub(super) fn gather(
    tx: &mut Tx<'_>,
    ground: &Ground,
    company: &str,
    domain: &str,
) -> Result<bool, AppError> {
    let from = position(tx, ground.now)?;
    let notices: Vec<(i64, PersonId, String)> = tx.rows(
        "SELECT id, person_id, text FROM notices WHERE id > $1 AND at <= $2 ORDER BY id LIMIT $3",
        &[from.into(), (ground.now - SETTLED).into(), BATCH.into()],
    )?;
    let Some((last, ..)) = notices.last() else { return Ok(false) };
    let (last, count) = (*last, notices.len() as i64);
    let mut people: BTreeMap<PersonId, Vec<String>> = BTreeMap::new();
    for (_, person, text) in notices {
        people.entry(person).or_default().push(text);
    }
    let ids: Vec<String> = people.keys().map(|person| person.0.to_string()).collect();
    let sql = format!(
        "SELECT p.id, p.email FROM people p JOIN mail_choices c ON c.person_id = p.id
         WHERE c.wants = TRUE AND p.is_active = TRUE AND p.email <> '' AND p.id IN ({})",
        ids.join(",")
    );
    let wanted: Vec<(PersonId, String)> = tx.rows(&sql, &[])?;
    let mut rows: Vec<Vec<Sql<'_>>> = Vec::new();
    for (person, email) in wanted {
        let Some(texts) = people.get(&person) else { continue };
        // Notices tell of cases, and so of customers.
        if ground.directory.rights(person, &ground.day, ground.now).bar.is_some() {
            continue;
        }
        let id = MailId::new();
        let subject = match texts.as_slice() {
            [one] => format!("【{company}】{}", one.chars().take(60).collect::<String>()),
            all => format!("【{company}】{} 条提醒", all.len()),
        };
        let mut body: String = texts.iter().take(MOST_LINES).map(|text| format!("· {text}\n")).collect();
        if texts.len() > MOST_LINES {
            body.push_str(&format!("…… 另有 {} 条，请在系统里查看。\n", texts.len() - MOST_LINES));
        }
        body.push_str("\n这封邮件由系统自动发出，请勿回复。不想再收到时，在“个人设置 → 邮件提醒”里关闭。\n");
        rows.push(vec![
            id.into(),
            person.into(),
            email.into(),
            subject.replace(['\r', '\n'], " ").into(),
            body.into(),
            format!("<{id}@{domain}>").into(),
            "waiting".into(),
            ground.now.into(),
            ground.now.into(),
        ]);
    }
    if !rows.is_empty() {
        tx.insert_rows(
            "INSERT INTO mails (id, person_id, recipient, subject, body, message_id, state, next_at, created_at)",
            &rows,
            "",
        )?;
    }
    tx.exec("UPDATE outbox_readers SET event_id = $2 WHERE reader = $1", &[READER.into(), last.into()])?;
    Ok(count == BATCH)
}
