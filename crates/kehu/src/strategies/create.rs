//! Adding a service strategy.

use store::{Tx, Value};

use super::MOST;
use super::model::{Draft, Strategy};
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::StrategyId;
use crate::{events, text};

/// Adds a strategy; refused when its group has one already. Event and audit row go with it.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    draft: &Draft,
    now: Millis,
) -> Result<Strategy, AppError> {
    require_may(actor, Object::Strategy, Verb::Update)?;
    let known = tx.count("SELECT COUNT(*) FROM service_strategies WHERE deleted_at IS NULL", &[])?;
    if known >= MOST {
        return Err(AppError::Conflict(text!("最多 {} 条服务策略，请先删除不再使用的", MOST)));
    }
    let blank = Strategy {
        id: StrategyId::new(),
        kind: String::new(),
        class: String::new(),
        level: String::new(),
        name: String::new(),
        needs: String::new(),
        content: String::new(),
        rhythm_days: 0,
        channel: String::new(),
        post: String::new(),
        valid_from: String::new(),
        note: String::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let strategy = draft.applied(&blank, catalogue, true).map_err(AppError::Invalid)?;
    require_free_group(tx, &strategy)?;
    let mut params: Vec<Value<'_>> = vec![strategy.id.into()];
    params.extend(columns(&strategy));
    params.extend([now.into(), actor.person_id.into()]);
    tx.exec(
        "INSERT INTO service_strategies (id, kind, class, level, name, needs, content, rhythm_days, channel, post,
           valid_from, note, version, created_at, created_by, updated_at, updated_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,1,$13,$14,$13,$14)",
        &params,
    )
    .map_err(taken_meanwhile)?;
    events::emit(tx, actor, now, "strategy.created", "strategy", strategy.id.0, 0)?;
    let after = strategy.facts();
    let entry = Entry::of("strategy.created", "strategy", strategy.id.0).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(strategy)
}

/// What a person writes, in the order of the columns from `kind` to `note`.
pub(super) fn columns(strategy: &Strategy) -> [Value<'_>; 11] {
    [
        (&strategy.kind).into(),
        (&strategy.class).into(),
        (&strategy.level).into(),
        (&strategy.name).into(),
        (&strategy.needs).into(),
        (&strategy.content).into(),
        strategy.rhythm_days.into(),
        (&strategy.channel).into(),
        (&strategy.post).into(),
        (&strategy.valid_from).into(),
        (&strategy.note).into(),
    ]
}

/// Refuses a second strategy for the same group.
pub(super) fn require_free_group(tx: &mut Tx<'_>, strategy: &Strategy) -> Result<(), AppError> {
    let other: Option<String> = tx.value(
        "SELECT name FROM service_strategies
         WHERE kind = $1 AND class = $2 AND level = $3 AND id <> $4 AND deleted_at IS NULL",
        &[(&strategy.kind).into(), (&strategy.class).into(), (&strategy.level).into(), strategy.id.into()],
    )?;
    match other {
        None => Ok(()),
        Some(name) => {
            Err(AppError::Conflict(text!("这类客户已有服务策略“{}”，请修改那一条，或换一个适用范围", name)))
        }
    }
}

/// Two people who add the same group at once: the second is refused too.
pub(super) fn taken_meanwhile(error: store::Error) -> AppError {
    if error.is_unique("service_strategies_kind_class_level_key") {
        AppError::Conflict(text!("这类客户刚刚有了服务策略，请刷新后修改那一条"))
    } else {
        error.into()
    }
}
