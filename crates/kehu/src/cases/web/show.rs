//! The page of a case: the same card in the drawer beside the list and on a page of its own, with what its reader may do.

use std::collections::HashSet;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use policy::case::Approval;
use policy::diagram::diagram;
use policy::engine::Moment;
use policy::value::Kind;

use super::fields::{Inputs, Maker, read};
use super::names::Names;
use super::panel::{ApprovalView, DeadlineView, Fact, Happened, Printer};
use super::{Around, HOME, Line, refusals};
use crate::access::Actor;
use crate::app::App;
use crate::cases::api::verdict_of;
use crate::cases::load::hold;
use crate::cases::urge;
use crate::cases::{
    Done, Exemption, Ground, Loaded, Trail, act, children_of, decide, exempt, exemptions_of, load, parent_of,
    trail_of, with_world,
};
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CaseId, PenaltyId, PersonId};
use crate::notices;
use crate::org::web::part_or_page;
use crate::penalties::{self, Penalty};
use crate::policies::web::clause_href;
use crate::prints::{self, Print};
use crate::text;
use crate::web::{Choice, FormData, FormErrors, Page, Shell, flash, redirect, toast, trigger};

/// A button with the inputs it asks for.
struct Button {
    id: String,
    title: String,
    confirm: String,
    clause: String,
    clause_href: String,
    inputs: Inputs,
    /// Whether it is the one to press: the first.
    is_first: bool,
    is_refused: bool,
}

/// What an approver may do.
struct Decision {
    inputs: Inputs,
    /// Steps it may be returned to.
    back: Vec<Choice>,
    may_decide: bool,
    may_add: bool,
    may_reassign: bool,
    may_withdraw: bool,
    may_urge: bool,
    /// From when on he may urge again; empty when he may now.
    urges_again: String,
}

#[derive(Template)]
#[template(path = "cases/show.html", blocks = ["card"])]
struct Card {
    l: Lang,
    shell: Shell,
    /// Whose drafts are kept on the device.
    me: PersonId,
    path: String,
    line: Line,
    policy: String,
    policy_href: String,
    help: String,
    step_clause: String,
    step_clause_href: String,
    marks: Vec<String>,
    waiting: Vec<String>,
    buttons: Vec<Button>,
    decision: Option<Decision>,
    approval: Option<ApprovalView>,
    deadlines: Vec<DeadlineView>,
    facts: Vec<Fact>,
    parent: Option<(CaseId, String)>,
    children: Vec<Line>,
    exemptions: Vec<(Exemption, String, String, String)>,
    /// The penalties that came of it and the reader may know of: id, whose and how much, where each stands.
    penalties: Vec<(PenaltyId, String, penalties::State)>,
    /// Refusals he may exempt from: name and message.
    exemptable: Vec<Choice>,
    /// The copies its form has.
    copies: Vec<Choice>,
    /// Which time, by whom, when, which copies.
    prints: Vec<(i64, String, String, String)>,
    diagram: String,
    /// What a form was made from: whoever comes second is told.
    version: i64,
    trail: Vec<Happened>,
    creator: String,
    /// Which form was refused: the name of an action, `decision` or `exemption`.
    of_form: String,
    data: FormData,
    errors: FormErrors,
}

impl Card {
    fn value(&self, form: &str, name: &str) -> &str {
        if self.of_form == form { self.data.get(name) } else { "" }
    }

    fn error(&self, form: &str, name: &str) -> &str {
        if self.of_form == form { self.errors.of(name) } else { "" }
    }

    /// What is wrong besides the fields of a form.
    fn besides<'c>(&'c self, form: &str, mut shown: Vec<&'c str>) -> Vec<&'c str> {
        if self.of_form != form {
            return Vec::new();
        }
        shown.extend(["comment", "people", "to", "reason", "until", "refusal"]);
        self.errors.besides(&shown)
    }

    /// What is wrong with a form that is not there any more: somebody else was quicker.
    fn elsewhere(&self) -> Vec<&str> {
        let is_here = self.of_form == "decision" && self.decision.is_some()
            || self.of_form == "exemption" && !self.exemptable.is_empty()
            || self.buttons.iter().any(|button| button.id == self.of_form);
        if is_here { Vec::new() } else { self.errors.besides(&[]) }
    }

    fn is_refused(&self, form: &str) -> bool {
        self.of_form == form
    }
}

/// What the card is read from.
struct Read {
    loaded: Loaded,
    names: Names,
    hidden: HashSet<usize>,
    actions: Vec<String>,
    may_decide: bool,
    urges_again_at: Option<Millis>,
    exemptable: Vec<(String, String)>,
    trail: Vec<Trail>,
    exemptions: Vec<Exemption>,
    penalties: Vec<Penalty>,
    parent: Option<(CaseId, String)>,
    children: Vec<super::Case>,
    around: Around,
    prints: Vec<Print>,
}

async fn read_all(
    app: &App,
    actor: &Actor,
    ground: &Ground,
    id: CaseId,
    data: &FormData,
) -> Result<Read, AppError> {
    let (me, of, sent) = (actor.clone(), ground.clone(), data.clone());
    app.db
        .read(move |conn| {
            let loaded = load(conn, &me, &of, id)?;
            let by = me.person_id.to_string();
            let (hidden, actions, may_decide, exemptable) =
                with_world(conn, &of, &loaded.policy.id, |world| {
                    let moment = Moment { now: of.now, actor: Some(&by), world };
                    let hidden = if me.is_administrator() {
                        Vec::new()
                    } else {
                        loaded.policy.hidden_fields(&loaded.form, &loaded.state, Some(&by), of.now, world)
                    };
                    let actions = loaded.policy.actions(&loaded.state, moment);
                    let actions: Vec<String> = actions.into_iter().map(|action| action.id.clone()).collect();
                    let env = policy::expr::Env::new(of.now, world).case(&loaded.state).actor(Some(&by));
                    let prefix = format!("{}.", loaded.form.id);
                    let refusals = loaded.policy.refusals.iter().filter(|refusal| {
                        refusal.on.starts_with(&prefix)
                            && refusal
                                .exempt_by
                                .as_ref()
                                .is_some_and(|who| who.value(&env).as_texts().contains(&by))
                    });
                    let exemptable: Vec<(String, String)> =
                        refusals.map(|refusal| (refusal.id.clone(), refusal.message.clone())).collect();
                    (hidden, actions, loaded.policy.may_decide(&loaded.state, moment), exemptable)
                })?;
            let names = Names::load(conn, &me, &of, &loaded.form, Some(&loaded.state), &sent)?;
            let children = children_of(conn, &me, &of, id)?;
            let around = Around::load(conn, &me, &of, children.iter().chain([&loaded.case]))?;
            Ok::<_, AppError>(Read {
                names: names.with_people(&of, people_of(&loaded)),
                hidden: hidden.into_iter().collect(),
                actions,
                may_decide,
                urges_again_at: urge::again_at(conn, &me, &of, &loaded)?,
                exemptable,
                trail: trail_of(conn, &me, &loaded)?,
                exemptions: exemptions_of(conn, &me, &of, id)?,
                penalties: penalties::of_case(conn, &me, &of, id)?,
                parent: parent_of(conn, &me, &of, &loaded.case)?,
                children,
                around,
                prints: prints::of_object(conn, "case", id.0)?,
                loaded,
            })
        })
        .await
}

/// Everybody who is named beside the fields.
fn people_of(loaded: &Loaded) -> Vec<String> {
    let state = &loaded.state;
    let mut people: Vec<String> = state.assigned.clone();
    people.extend(state.creator.clone());
    if let Some(approval) = &state.approval {
        people.extend(approval.requester.clone());
        for seat in approval.rounds.iter().chain(&approval.queue).flat_map(|round| &round.seats) {
            people.push(seat.person.clone());
            people.extend(seat.decided_by.clone());
        }
    }
    people
}

async fn card(
    app: &App,
    actor: &Actor,
    page: &Page,
    id: CaseId,
    refused: Option<(String, FormData, FormErrors)>,
) -> Result<Card, AppError> {
    let (l, ground) = (page.l, Ground::of(app).await?);
    let (of_form, data, errors) = refused.unwrap_or_default();
    let found = read_all(app, actor, &ground, id, &data).await?;
    let Read { loaded, names, hidden, .. } = &found;
    let (form, state, version) = (&loaded.form, &loaded.state, loaded.case.version_id);
    let printer = Printer { loaded, names, ground: &ground, hidden, l };
    let limit = app.config.max_upload_bytes;
    let (nothing, fine) = (FormData::default(), FormErrors::default());
    let inputs = |of: &str, fill: &[usize], offer: &[usize]| {
        let (data, errors) = if of == of_form { (&data, &errors) } else { (&nothing, &fine) };
        Maker { form, of, case: Some(state), data, errors, names, zone: &ground.zone, l, limit }
            .inputs(fill, offer)
    };
    let link = |clause: &str| if clause.is_empty() { String::new() } else { clause_href(version, clause) };
    let step = form.step(&state.step);
    let all = step.map_or(&[][..], |step| &step.actions);
    let buttons: Vec<Button> = all
        .iter()
        .filter(|action| found.actions.contains(&action.id))
        .enumerate()
        .map(|(n, action)| {
            // Fields wanted under a condition are offered: whether they are wanted is told when it is sent.
            let mut offer = action.offer.clone();
            offer.extend(action.require.iter().flat_map(|require| require.fill.iter().copied()));
            offer.dedup();
            let clause = action.clause.clone().unwrap_or_default();
            Button {
                id: action.id.clone(),
                title: action.title.clone(),
                confirm: action.confirm.clone(),
                clause_href: link(&clause),
                clause,
                inputs: inputs(&action.id, &action.fill, &offer),
                is_first: n == 0,
                is_refused: of_form == action.id,
            }
        })
        .collect();
    let decision = decision_of(&found, actor, &ground, |fill, offer| inputs("decision", fill, offer));
    let diagram_of = {
        let been: Vec<&str> = state.entered.keys().map(String::as_str).collect();
        diagram(form, Some(&state.step), &been)
    };
    let deadlines = printer.deadlines();
    let marks = form.deadlines.iter().filter_map(|deadline| deadline.mark.as_ref());
    let marks = marks.filter(|(mark, _)| state.marks.contains(mark)).map(|(_, title)| title.clone());
    let step_clause = step.map_or("", |step| step.clause.as_str()).to_owned();
    Ok(Card {
        l,
        me: actor.person_id,
        shell: page.shell(&[("单据", HOME), (&loaded.case.number, "")]),
        path: format!("{HOME}/{id}"),
        line: found.around.line(&loaded.case, &ground, l),
        policy: loaded.policy.title.clone(),
        policy_href: format!("/policies/{version}"),
        help: step.filter(|_| state.is_open()).map_or_else(String::new, |step| step.help.clone()),
        step_clause_href: link(&step_clause),
        step_clause,
        marks: marks.collect(),
        waiting: state.assigned.iter().map(|person| names.of(Kind::Person, person).to_owned()).collect(),
        buttons,
        decision,
        approval: printer.approval(),
        deadlines,
        facts: printer.facts(),
        parent: found.parent.clone(),
        children: found.children.iter().map(|case| found.around.line(case, &ground, l)).collect(),
        exemptions: found
            .exemptions
            .iter()
            .map(|given| {
                let by = ground.directory.member(given.given_by).map_or_else(String::new, |m| m.name.clone());
                (given.clone(), by, ground.zone.minute(given.until_at), link(&given.clause))
            })
            .collect(),
        penalties: found
            .penalties
            .iter()
            .map(|one| (one.id, format!("{}：{} {}", one.title, one.person, one.amount()), one.state()))
            .collect(),
        exemptable: found
            .exemptable
            .iter()
            .map(|(value, label)| Choice { value: value.clone(), label: label.clone() })
            .collect(),
        copies: form
            .copies
            .iter()
            .map(|copy| Choice { value: copy.id.clone(), label: copy.title.clone() })
            .collect(),
        prints: found
            .prints
            .iter()
            .map(|print| {
                let who =
                    ground.directory.member(print.person_id).map_or_else(String::new, |m| m.name.clone());
                let of =
                    |id: &str| form.copies.iter().find(|copy| copy.id == id).map(|copy| copy.title.clone());
                let copies: Vec<String> = print.copies.split(',').filter_map(of).collect();
                (print.count, who, ground.zone.minute(print.at), copies.join("、"))
            })
            .collect(),
        version: loaded.case.version,
        diagram: diagram_of,
        creator: state
            .creator
            .as_deref()
            .map_or_else(|| l.t("系统").to_owned(), |id| names.of(Kind::Person, id).to_owned()),
        trail: printer.trail(found.trail.clone()),
        of_form,
        data,
        errors,
    })
}

fn decision_of(
    found: &Read,
    actor: &Actor,
    ground: &Ground,
    inputs: impl Fn(&[usize], &[usize]) -> Inputs,
) -> Option<Decision> {
    let (form, state) = (&found.loaded.form, &found.loaded.state);
    if !state.is_open() {
        return None;
    }
    let step = form.step(&state.step)?;
    let may_urge = !state.assigned.is_empty() && !state.assigned.contains(&actor.person_id.to_string());
    let urges_again = found.urges_again_at.map_or_else(String::new, |at| ground.zone.minute(at));
    let Some(approve) = step.approve.as_ref().filter(|_| state.approval.is_some()) else {
        return may_urge.then(|| Decision {
            inputs: inputs(&[], &[]),
            back: Vec::new(),
            may_decide: false,
            may_add: false,
            may_reassign: false,
            may_withdraw: false,
            may_urge,
            urges_again,
        });
    };
    let asked_by_him = state
        .approval
        .as_ref()
        .and_then(|approval| approval.requester.as_ref())
        .is_some_and(|requester| *requester == actor.person_id.to_string());
    // What an approval asks of whoever agrees stands in its only action. One asked before him only has his say.
    let is_asked_first = state.approval.as_ref().is_some_and(Approval::is_asked_first);
    let filled = step.actions.first().filter(|_| !is_asked_first);
    let back = approve.back.iter().filter_map(|place| form.steps.get(*place));
    Some(Decision {
        inputs: filled
            .filter(|_| found.may_decide)
            .map_or_else(|| inputs(&[], &[]), |action| inputs(&action.fill, &action.offer)),
        back: back.map(|step| Choice { value: step.id.clone(), label: step.title.clone() }).collect(),
        may_decide: found.may_decide,
        may_add: found.may_decide && approve.may_add,
        may_reassign: found.may_decide && approve.may_reassign,
        may_withdraw: asked_by_him && approve.may_withdraw,
        may_urge,
        urges_again,
    })
}

fn answer(card: &Card, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
    Ok((status, part_or_page(is_part, card.as_card(), card)?).into_response())
}

fn case_id(id: &str) -> Result<CaseId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id = case_id(&id)?;
    let shown = card(&app, &actor, &page, id, None).await?;
    // Whoever looks at a case has seen what he was told of it.
    let (by, now) = (actor.clone(), app.now());
    let unread = app.db.read({
        let by = by.clone();
        move |conn| notices::has_unread(conn, &by, id)
    });
    if unread.await? {
        app.db.write(move |tx| notices::read(tx, &by, Some(id), now).map_err(AppError::from)).await?;
    }
    answer(&shown, page.is_partial, StatusCode::OK)
}

/// Shows the case as it is after something was done to it; a refusal stands at its form. Whoever may not see it any more
/// goes back to the list.
async fn after(
    app: &App,
    actor: &Actor,
    page: &Page,
    id: CaseId,
    (of_form, data, said): (&str, FormData, &str),
    done: Result<Done, AppError>,
) -> Result<Response, AppError> {
    app.jobs_waiting.notify_one();
    match done {
        Ok(_) => match card(app, actor, page, id, None).await {
            Ok(shown) if page.is_htmx => {
                let response = answer(&shown, true, StatusCode::OK)?;
                let response = trigger(response, "refreshList", serde_json::json!({}));
                Ok(toast(response, page.l.t(said), None))
            }
            Ok(_) => Ok(flash(redirect(false, &format!("{HOME}/{id}")), page.l.t(said))),
            Err(AppError::NotFound | AppError::Hidden { .. }) => {
                Ok(flash(redirect(page.is_htmx, HOME), page.l.t(said)))
            }
            Err(error) => Err(error),
        },
        Err(error) => {
            let errors = refusals(app, actor, page, error).await?;
            let shown = card(app, actor, page, id, Some((of_form.to_owned(), data, errors))).await?;
            answer(&shown, page.is_htmx, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn act_on(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path((id, action)): Path<(String, String)>,
    data: FormData,
) -> Result<Response, AppError> {
    let id = case_id(&id)?;
    let (ground, by, name, sent) = (Ground::of(&app).await?, actor.clone(), action.clone(), data.clone());
    let done = app
        .db
        .write(move |tx| {
            let loaded = hold(tx, &by, &ground, id)?;
            loaded.require_version(sent.get("seen").parse().ok())?;
            let known =
                loaded.form.steps.iter().flat_map(|step| &step.actions).find(|known| known.id == name);
            let places = known.map_or_else(Vec::new, |action| {
                let wanted = action.require.iter().flat_map(|require| &require.fill);
                action.fill.iter().chain(&action.offer).chain(wanted).copied().collect()
            });
            act(tx, &by, &ground, id, &name, &read(&loaded.form, &places, &sent))
        })
        .await;
    after(&app, &actor, &page, id, (&action, data, "已办理"), done).await
}

pub(super) async fn decide_on(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    data: FormData,
) -> Result<Response, AppError> {
    let id = case_id(&id)?;
    let people: Vec<String> =
        data.all("people").into_iter().filter(|person| !person.is_empty()).map(str::to_owned).collect();
    let verdict = verdict_of(data.get("verdict"), data.get("to").to_owned(), people);
    let (ground, by, sent) = (Ground::of(&app).await?, actor.clone(), data.clone());
    let done = match verdict {
        // Which verdicts there are is told by the buttons.
        Err(_) => Err(AppError::field("verdict", text!("请选择怎样处理"))),
        Ok(verdict) => {
            app.db
                .write(move |tx| {
                    let loaded = load(tx, &by, &ground, id)?;
                    let step = loaded.form.step(&loaded.state.step);
                    let filled = step.and_then(|step| step.actions.first());
                    let places = filled.map_or_else(Vec::new, |action| {
                        action.fill.iter().chain(&action.offer).copied().collect()
                    });
                    let values = match verdict {
                        policy::engine::Verdict::Approve => read(&loaded.form, &places, &sent),
                        _ => serde_json::Map::new(),
                    };
                    decide(tx, &by, &ground, id, &verdict, sent.get("comment"), &values)
                })
                .await
        }
    };
    after(&app, &actor, &page, id, ("decision", data, "已办理"), done).await
}

pub(super) async fn exempt_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    data: FormData,
) -> Result<Response, AppError> {
    let id = case_id(&id)?;
    let (ground, by, sent) = (Ground::of(&app).await?, actor.clone(), data.clone());
    let done = match ground.zone.parse(data.get("until")) {
        None => Err(AppError::field("until", text!("时间要写成 2026-09-28 16:20"))),
        Some(until) => {
            app.db
                .write(move |tx| {
                    exempt(tx, &by, &ground, id, sent.get("refusal"), sent.get("reason"), until)?;
                    Ok::<_, AppError>(Done { id })
                })
                .await
        }
    };
    after(&app, &actor, &page, id, ("exemption", data, "已豁免"), done).await
}
