//! Approvals (审批): one stage after the other, joint (会签) or any (或签), with everything offices do to them.

use hanzi::normal::visible;

use super::{Effect, Moment, Outcome, Refused, Run, Verdict, Why};
use crate::case::{Approval, Case, Round, Seat};
use crate::expr::Expr;
use crate::model::{Approve, Empty, Policy, Requester, Step, StepKind, TimeoutThen};
use crate::value::{Kind, Value};

/// Most people in one stage.
const MOST_SEATS: usize = 50;
/// Most stages, those added included.
const MOST_ROUNDS: usize = 50;
/// How a case ends whose refusal leads nowhere.
const REFUSED: &str = "驳回";
/// How a case ends that is withdrawn and began with the approval.
const WITHDRAWN: &str = "撤回";

impl Policy {
    /// An approver decides, or does something else to the approval. `values` are fields the step lets approvers fill.
    pub fn decide(
        &self,
        case: &Case,
        verdict: &Verdict,
        comment: &str,
        values: Vec<(usize, Value)>,
        moment: Moment<'_>,
    ) -> Result<Outcome, Refused> {
        let mut run = Run::new(self, case, moment)?;
        if !case.is_open() {
            return Err(Refused::new(Why::Closed, "单据已经结束，不能再审批"));
        }
        let step = run.step()?;
        run.keep_away()?;
        if *verdict == Verdict::Urge {
            run.urge(comment)?;
            return Ok(run.finish());
        }
        let (Some(approve), StepKind::Approval) = (&step.approve, step.kind) else {
            return Err(Refused::new(Why::NotNow, format!("单据现在在“{}”，不在审批中", step.title)));
        };
        if *verdict == Verdict::Withdraw {
            run.withdraw(approve)?;
            return Ok(run.finish());
        }
        if let (Verdict::Reassign(to), true) = (verdict, run.may_name_approver()) {
            run.name_approver(step, approve, to, comment)?;
            return Ok(run.finish());
        }
        let (seat, on_behalf_of) = run.seat()?;
        if matches!(verdict, Verdict::Reject | Verdict::Return(_) | Verdict::Recuse)
            && visible(comment).is_empty()
        {
            let fields = vec![("comment".to_owned(), "请写明理由".to_owned())];
            return Err(Refused { fields, ..Refused::new(Why::Fields, "请写明理由") });
        }
        match verdict {
            Verdict::Approve => run.agree(step, approve, seat, on_behalf_of, comment, values)?,
            Verdict::Reject => run.reject(approve, seat, on_behalf_of, comment),
            Verdict::Return(to) => run.send_back(approve, to, comment)?,
            Verdict::AddBefore(people) => run.add(step, approve, people, true, comment)?,
            Verdict::AddAfter(people) => run.add(step, approve, people, false, comment)?,
            Verdict::Reassign(to) => run.reassign(step, approve, seat, to, comment)?,
            Verdict::Recuse => run.recuse(step, seat, comment),
            Verdict::Withdraw | Verdict::Urge => {}
        }
        Ok(run.finish())
    }

    /// Whether the actor has to decide in the approval under way.
    pub fn may_decide(&self, case: &Case, moment: Moment<'_>) -> bool {
        let can = |run: &Run<'_>| run.seat().is_ok() || run.may_name_approver();
        case.is_open() && case.approval.is_some() && Run::new(self, case, moment).is_ok_and(|run| can(&run))
    }
}

/// Refuses the people named in an approval.
fn wrong_people(text: impl Into<String>) -> Refused {
    let text = text.into();
    Refused { fields: vec![("people".to_owned(), text.clone())], ..Refused::new(Why::Fields, text) }
}

impl<'a> Run<'a> {
    /// The case comes to an approval.
    pub(super) fn ask(&mut self, step: &Step, came_from: String) {
        let Some(approve) = &step.approve else { return self.nobody(step, None) };
        // Whoever did the last thing asks; when an event did, whoever answers for the case.
        // Of approvals one after the other, whoever asked in the first asks in all: an approver does not become one who
        // asks by agreeing.
        let asked_by = self.asked_by.take().or_else(|| self.moment.actor.map(str::to_owned));
        let requester = asked_by.or_else(|| self.case.owner.clone());
        let mut approval = Approval {
            requester,
            came_from,
            to_come: Vec::new(),
            row: None,
            rounds: Vec::new(),
            queue: Vec::new(),
            due: None,
            is_stuck: false,
        };
        let env = self.env();
        match &approve.authority {
            None => {
                let stages = approve.stages.iter().enumerate();
                approval.to_come = stages
                    .filter(|(_, stage)| stage.when.as_ref().is_none_or(|when| when.holds(&env)))
                    .map(|(place, _)| place)
                    .collect();
            }
            Some(id) => {
                let table = self.policy.authorities.iter().find(|table| table.id == *id);
                let row = table.and_then(|table| {
                    table.rows.iter().position(|(when, _)| when.as_ref().is_none_or(|when| when.holds(&env)))
                });
                let (Some(table), Some(row)) = (table, row) else {
                    // Where the table is silent, for a field that is empty, nobody may take it for agreed.
                    self.case.approval = Some(approval);
                    return self.stuck(step, None);
                };
                approval.to_come = (0..table.rows[row].1.len()).collect();
                approval.row = Some(row);
            }
        }
        // The next stage is taken from the front.
        self.case.approval = Some(approval);
        self.advance(step, approve);
    }

    /// Opens the next stage that somebody has to decide, or lets the case go on.
    fn advance(&mut self, step: &Step, approve: &Approve) {
        for _ in 0..=MOST_ROUNDS {
            let Some(approval) = &mut self.case.approval else { return };
            // The stage that was put aside last for approvers added before it comes back.
            if let Some(place) = approval.rounds.iter().rposition(|round| !round.is_agreed()) {
                let round = approval.rounds.remove(place);
                approval.rounds.push(round);
                return self.call(step, approve);
            }
            let mut who = None;
            let round = if approval.queue.is_empty() {
                if approval.to_come.is_empty() {
                    return self.agreed(step);
                }
                let stage = approval.to_come.remove(0);
                who = self.stage_of(approve, stage).map(|(who, ..)| who);
                self.round(approve, stage)
            } else {
                Some(approval.queue.remove(0))
            };
            let Some(mut round) = round else {
                match approve.empty {
                    Empty::Skip => {
                        self.effects.push(moved("该级没有审批人，按规定跳过", Vec::new(), ""));
                        continue;
                    }
                    Empty::Refuse => return self.stuck(step, who),
                    Empty::Escalate => {
                        let administrators = self.administrators();
                        if administrators.is_empty() {
                            return self.stuck(step, who);
                        }
                        self.tell_nobody(step, who);
                        let seats = administrators.into_iter().map(Seat::of).collect();
                        let round =
                            Round { title: "制度管理员".into(), is_joint: false, stage: None, seats };
                        if let Some(approval) = &mut self.case.approval {
                            approval.rounds.push(round);
                        }
                        return self.call(step, approve);
                    }
                }
            };
            if approve.skips_same {
                self.skip_same(&mut round);
            }
            let is_agreed = round.is_agreed();
            if let Some(approval) = &mut self.case.approval {
                approval.rounds.push(round);
            }
            if !is_agreed {
                return self.call(step, approve);
            }
        }
        self.nobody(step, None);
    }

    /// Nobody can decide: it stands still until an administrator names somebody.
    fn stuck(&mut self, step: &Step, who: Option<&Expr>) {
        if let Some(approval) = &mut self.case.approval {
            approval.is_stuck = true;
            approval.due = None;
        }
        self.nobody(step, who);
    }

    /// Whether the actor is an administrator who may name an approver where none was found.
    fn may_name_approver(&self) -> bool {
        let is_stuck = self.case.approval.as_ref().is_some_and(|approval| approval.is_stuck);
        is_stuck && self.acts_as(&self.administrators()).is_some()
    }

    fn name_approver(
        &mut self,
        step: &Step,
        approve: &Approve,
        to: &str,
        comment: &str,
    ) -> Result<(), Refused> {
        let people = self.newcomers(approve, &[to.to_owned()])?;
        let Some(approval) = &mut self.case.approval else { return Ok(()) };
        approval.is_stuck = false;
        match approval.rounds.last_mut() {
            // Everybody in it has stepped aside.
            Some(round) if round.waiting().is_empty() && !round.is_agreed() => round.seats.push(Seat::of(to)),
            _ => {
                let seats = vec![Seat::of(to)];
                approval.rounds.push(Round {
                    title: "指定审批人".into(),
                    is_joint: false,
                    stage: None,
                    seats,
                });
            }
        }
        self.effects.push(moved("指定审批人", people, comment));
        self.call(step, approve);
        Ok(())
    }

    /// A stage of the policy: who, whether all of them, and what it is called.
    fn stage_of<'s>(&self, approve: &'s Approve, stage: usize) -> Option<(&'s Expr, bool, &'s str)>
    where
        'a: 's,
    {
        match (&approve.authority, self.case.approval.as_ref()?.row) {
            (Some(id), Some(row)) => {
                let table = self.policy.authorities.iter().find(|table| table.id == *id)?;
                Some((table.rows.get(row)?.1.get(stage)?, false, &table.title))
            }
            _ => {
                let stage = approve.stages.get(stage)?;
                Some((&stage.by, stage.is_joint, &stage.title))
            }
        }
    }

    /// A stage with its approvers; none when there are none.
    fn round(&self, approve: &Approve, stage: usize) -> Option<Round> {
        let approval = self.case.approval.as_ref()?;
        let (who, is_joint, title) = self.stage_of(approve, stage)?;
        let title = title.to_owned();
        let mut people = self.people(who);
        if let Some(requester) = approval.requester.clone()
            && let Some(place) = people.iter().position(|person| *person == requester)
        {
            match approve.requester {
                Requester::Allow => {}
                Requester::Skip => drop(people.remove(place)),
                Requester::Superior => {
                    people.remove(place);
                    let superior = self.superior(&requester);
                    people.extend(superior.filter(|superior| !people.contains(superior)));
                }
            }
        }
        people.truncate(MOST_SEATS);
        if people.is_empty() {
            return None;
        }
        Some(Round { title, is_joint, stage: Some(stage), seats: people.into_iter().map(Seat::of).collect() })
    }

    fn superior(&self, person: &str) -> Option<String> {
        let superior = self.moment.world.fact(Kind::Person, person, "superior");
        let superior = superior.as_text().filter(|superior| !superior.is_empty() && *superior != person)?;
        (!self.excluded().iter().any(|one| one == superior)).then(|| superior.to_owned())
    }

    /// Whoever agreed in an earlier stage is not asked again.
    fn skip_same(&mut self, round: &mut Round) {
        let Some(approval) = &self.case.approval else { return };
        let seats = approval.rounds.iter().flat_map(|round| &round.seats);
        let agreed: Vec<String> =
            seats.filter(|seat| seat.verdict == Some(true)).map(|seat| seat.person.clone()).collect();
        for seat in &mut round.seats {
            if agreed.contains(&seat.person) {
                seat.verdict = Some(true);
                seat.at = Some(self.moment.now);
                self.effects.push(Effect::Decided {
                    seat: seat.person.clone(),
                    verdict: true,
                    comment: "前一级已同意".into(),
                    by_rule: true,
                });
            }
        }
    }

    /// The open stage gets its tasks and its time.
    fn call(&mut self, step: &Step, approve: &Approve) {
        let unit = self.case.unit.clone();
        let due = approve.timeout.and_then(|(within, _)| {
            self.moment.world.calendar(unit.as_deref()).due_at(self.moment.now, within, &[]).ok()
        });
        let Some(approval) = &mut self.case.approval else { return };
        approval.due = due;
        let people = approval.open().map_or_else(Vec::new, Round::waiting);
        self.assign(step, people);
    }

    /// Everybody has agreed.
    fn agreed(&mut self, step: &Step) {
        self.asked_by = self.case.approval.take().and_then(|approval| approval.requester);
        let hops = self.hops;
        if let Some(action) = step.actions.first() {
            self.carry_out(action, &format!("{}.{}", self.form.id, action.id));
        }
        if self.hops == hops {
            // It is agreed but leads nowhere, for a field that is empty.
            self.nobody(step, None);
        }
    }

    /// The seat of whoever acts in the open stage, and for whom he acts.
    fn seat(&self) -> Result<(usize, Option<String>), Refused> {
        let approval = self.case.approval.as_ref();
        let Some(round) = approval.filter(|approval| !approval.is_stuck).and_then(Approval::open) else {
            return Err(Refused::new(Why::NotNow, "没有找到审批人，请制度管理员处理"));
        };
        let Some(on_behalf_of) = self.acts_as(&round.waiting()) else {
            let decided = round.seats.iter().any(|seat| {
                seat.verdict.is_some()
                    && [Some(seat.person.as_str()), seat.decided_by.as_deref()].contains(&self.moment.actor)
            });
            let text = if decided {
                "您已经审批过了".to_owned()
            } else {
                format!("现在由{}审批", self.names(&round.waiting()))
            };
            return Err(Refused::new(Why::NotYours, text));
        };
        let may_himself = self.step()?.approve.as_ref().is_some_and(|a| a.requester == Requester::Allow);
        let asked = approval.and_then(|approval| approval.requester.as_deref());
        if on_behalf_of.is_some() && !may_himself && asked == self.moment.actor {
            return Err(Refused::new(Why::NotYours, "这是您自己提交的，不能代别人审批"));
        }
        let person = on_behalf_of.as_deref().or(self.moment.actor);
        let seat = round
            .seats
            .iter()
            .position(|seat| seat.verdict.is_none() && Some(seat.person.as_str()) == person);
        seat.map(|seat| (seat, on_behalf_of)).ok_or_else(|| Refused::new(Why::NotYours, "现在不由您审批"))
    }

    fn vote(&mut self, seat: usize, on_behalf_of: Option<String>, verdict: bool, comment: &str) {
        let (now, actor) = (self.moment.now, self.moment.actor.map(str::to_owned));
        let Some(seat) =
            self.case.approval.as_mut().and_then(|a| a.rounds.last_mut()).and_then(|r| r.seats.get_mut(seat))
        else {
            return;
        };
        seat.verdict = Some(verdict);
        seat.at = Some(now);
        seat.comment = comment.trim().to_owned();
        seat.decided_by = on_behalf_of.and(actor);
        let seat = seat.person.clone();
        self.effects.push(Effect::Decided {
            seat,
            verdict,
            comment: comment.trim().to_owned(),
            by_rule: false,
        });
    }

    fn agree(
        &mut self,
        step: &Step,
        approve: &Approve,
        seat: usize,
        on_behalf_of: Option<String>,
        comment: &str,
        values: Vec<(usize, Value)>,
    ) -> Result<(), Refused> {
        if let Some(action) = step.actions.first() {
            // What an approver has to fill is not asked of those he wants to hear first.
            let is_asked_first = self.case.approval.as_ref().is_some_and(Approval::is_asked_first);
            self.fill_in(action, values, !is_asked_first)?;
        }
        self.vote(seat, on_behalf_of, true, comment);
        let is_agreed = self.case.approval.as_ref().and_then(Approval::open).is_some_and(Round::is_agreed);
        if is_agreed {
            self.advance(step, approve)
        } else {
            self.call_again(step)
        }
        Ok(())
    }

    fn call_again(&mut self, step: &Step) {
        let people =
            self.case.approval.as_ref().and_then(Approval::open).map_or_else(Vec::new, Round::waiting);
        self.assign(step, people);
    }

    fn reject(&mut self, approve: &Approve, seat: usize, on_behalf_of: Option<String>, comment: &str) {
        self.vote(seat, on_behalf_of, false, comment);
        self.refused(approve);
    }

    fn refused(&mut self, approve: &Approve) {
        match approve.reject {
            Some(step) => self.enter(step),
            None => self.end_as(REFUSED),
        }
    }

    /// Ends the case in the middle of its approval; nobody is asked any more.
    fn end_as(&mut self, outcome: &str) {
        let step = self.case.step.clone();
        self.effects.push(Effect::Tasks { step, people: Vec::new(), clause: String::new() });
        self.close(outcome.to_owned());
    }

    fn send_back(&mut self, approve: &Approve, to: &str, comment: &str) -> Result<(), Refused> {
        let place = self
            .form
            .steps
            .iter()
            .position(|step| step.id == to)
            .filter(|place| approve.back.contains(place));
        let Some(place) = place else { return Err(Refused::new(Why::NotNow, "不能退回到这一步")) };
        let title = self.form.steps.get(place).map_or_else(String::new, |step| step.title.clone());
        self.effects.push(moved("退回", Vec::new(), &format!("退回到“{title}”：{}", comment.trim())));
        self.enter(place);
        Ok(())
    }

    fn withdraw(&mut self, approve: &Approve) -> Result<(), Refused> {
        let Some(approval) = &self.case.approval else {
            return Err(Refused::new(Why::NotNow, "不在审批中"));
        };
        if !approve.may_withdraw {
            return Err(Refused::new(Why::NotNow, "这项审批不能撤回"));
        }
        if approval.requester.is_none() || approval.requester.as_deref() != self.moment.actor {
            return Err(Refused::new(Why::NotYours, "只有提交的人可以撤回"));
        }
        if approval.rounds.iter().flat_map(|round| &round.seats).any(|seat| seat.verdict.is_some()) {
            return Err(Refused::new(Why::NotNow, "已经有人审批，不能撤回"));
        }
        let came_from = approval.came_from.clone();
        let place = self.form.steps.iter().position(|step| step.id == came_from);
        self.effects.push(moved("撤回", Vec::new(), ""));
        match place {
            Some(place) => self.enter(place),
            // It was asked for at its opening: there is nothing to go back to.
            None => self.end_as(WITHDRAWN),
        }
        Ok(())
    }

    /// People who may be given a seat: real ones that are not excluded, are not the requester, have no seat yet.
    fn newcomers(&self, approve: &Approve, people: &[String]) -> Result<Vec<String>, Refused> {
        let Some(approval) = &self.case.approval else { return Ok(Vec::new()) };
        let excluded = self.excluded();
        let seated = approval.open().map_or_else(Vec::new, Round::waiting);
        let mut all: Vec<String> = Vec::new();
        for person in people {
            let name = self.moment.world.name(Kind::Person, person);
            let no = |why: &str| Err(wrong_people(format!("{name}{why}")));
            if self.moment.world.fact(Kind::Person, person, "name") == Value::Null {
                return Err(wrong_people(if person.is_empty() {
                    "请选择人员"
                } else {
                    "没有这个人"
                }));
            }
            if excluded.contains(person) {
                return no("应当回避，不能参加审批");
            }
            if approve.requester != Requester::Allow && approval.requester.as_ref() == Some(person) {
                return no("是提交的人，不能审批自己的事项");
            }
            if seated.contains(person) {
                return no("已经是审批人");
            }
            if !all.contains(person) {
                all.push(person.clone());
            }
        }
        if all.is_empty() {
            return Err(wrong_people("请选择人员"));
        }
        Ok(all)
    }

    fn add(
        &mut self,
        step: &Step,
        approve: &Approve,
        people: &[String],
        before: bool,
        comment: &str,
    ) -> Result<(), Refused> {
        if !approve.may_add {
            return Err(Refused::new(Why::NotNow, "这项审批不能加签"));
        }
        let people = self.newcomers(approve, people)?;
        let Some(approval) = &mut self.case.approval else { return Ok(()) };
        if approval.rounds.len() + approval.queue.len() >= MOST_ROUNDS || people.len() > MOST_SEATS {
            return Err(wrong_people("加签太多了"));
        }
        let seats = people.iter().map(Seat::of).collect();
        let round = Round { title: "加签".into(), is_joint: true, stage: None, seats };
        if before {
            approval.rounds.push(round);
        } else {
            approval.queue.push(round);
        }
        self.effects.push(moved(if before { "前加签" } else { "后加签" }, people, comment));
        if before {
            self.call(step, approve);
        }
        Ok(())
    }

    fn reassign(
        &mut self,
        step: &Step,
        approve: &Approve,
        seat: usize,
        to: &str,
        comment: &str,
    ) -> Result<(), Refused> {
        if !approve.may_reassign {
            return Err(Refused::new(Why::NotNow, "这项审批不能转办"));
        }
        let people = self.newcomers(approve, &[to.to_owned()])?;
        self.give_seat(seat, to);
        self.effects.push(moved("转办", people, comment));
        self.call_again(step);
        Ok(())
    }

    fn give_seat(&mut self, seat: usize, to: &str) {
        let round = self.case.approval.as_mut().and_then(|approval| approval.rounds.last_mut());
        if let Some(seat) = round.and_then(|round| round.seats.get_mut(seat)) {
            *seat = Seat::of(to);
        }
    }

    /// Steps aside. Whoever is left decides; when nobody is, his superior.
    fn recuse(&mut self, step: &Step, seat: usize, comment: &str) {
        let Some(round) = self.case.approval.as_mut().and_then(|approval| approval.rounds.last_mut()) else {
            return;
        };
        let person = round.seats.remove(seat).person;
        let others = !round.waiting().is_empty();
        self.effects.push(moved("回避", vec![person.clone()], comment));
        if others {
            return self.call_again(step);
        }
        let requester = self.case.approval.as_ref().and_then(|approval| approval.requester.clone());
        let superior = self.superior(&person).filter(|superior| Some(superior) != requester.as_ref());
        match superior {
            Some(superior) => {
                if let Some(round) =
                    self.case.approval.as_mut().and_then(|approval| approval.rounds.last_mut())
                {
                    round.seats.push(Seat::of(superior));
                }
                self.call_again(step);
            }
            None => self.stuck(step, None),
        }
    }

    /// Asks whoever has to act for speed.
    fn urge(&mut self, comment: &str) -> Result<(), Refused> {
        if self.case.assigned.is_empty() {
            return Err(Refused::new(Why::NotNow, "现在没有人需要办理"));
        }
        let people = self.case.assigned.clone();
        if self.acts_as(&people).is_some() {
            return Err(Refused::new(Why::NotYours, "这件事正由您办理"));
        }
        self.effects.push(Effect::Urged { people, comment: comment.trim().to_owned() });
        Ok(())
    }

    /// Nobody has decided in time.
    pub(super) fn timeout(&mut self) {
        let form = std::sync::Arc::clone(self.form);
        let Some(step) = form.step(&self.case.step) else { return };
        let Some(approve) = &step.approve else { return };
        let Some((within, then)) = approve.timeout else { return };
        let Some(approval) = &mut self.case.approval else { return };
        if approval.is_stuck || approval.due.is_none_or(|due| due >= self.moment.now) {
            return;
        }
        let waiting = approval.open().map_or_else(Vec::new, Round::waiting);
        match then {
            TimeoutThen::Remind => {
                let unit = self.case.unit.clone();
                let calendar = self.moment.world.calendar(unit.as_deref());
                let due = calendar.due_at(self.moment.now, within, &[]).ok();
                // "By 18:00 of the same day" has passed for good once it has.
                approval.due = due.filter(|due| *due > self.moment.now);
                self.effects.push(Effect::Urged { people: waiting, comment: "审批已超时".into() });
            }
            TimeoutThen::Approve | TimeoutThen::Reject => {
                let verdict = then == TimeoutThen::Approve;
                let now = self.moment.now;
                if let Some(round) = approval.rounds.last_mut() {
                    for seat in round.seats.iter_mut().filter(|seat| seat.verdict.is_none()) {
                        seat.verdict = Some(verdict);
                        seat.at = Some(now);
                    }
                }
                let comment = if verdict {
                    "超时，按规定视为同意"
                } else {
                    "超时，按规定视为不同意"
                };
                self.effects.extend(waiting.into_iter().map(|seat| Effect::Decided {
                    seat,
                    verdict,
                    comment: comment.into(),
                    by_rule: true,
                }));
                if verdict { self.advance(step, approve) } else { self.refused(approve) }
            }
            TimeoutThen::Escalate => {
                approval.due = None;
                let requester = approval.requester.clone();
                let mut superiors: Vec<String> = Vec::new();
                for person in &waiting {
                    if let Some(superior) = self.superior(person)
                        && Some(&superior) != requester.as_ref()
                        && !waiting.contains(&superior)
                        && !superiors.contains(&superior)
                    {
                        superiors.push(superior);
                    }
                }
                // The superiors decide in the place of those who did not.
                if !superiors.is_empty()
                    && let Some(round) =
                        self.case.approval.as_mut().and_then(|approval| approval.rounds.last_mut())
                {
                    round.seats.retain(|seat| seat.verdict.is_some());
                    round.seats.extend(superiors.iter().map(Seat::of));
                }
                self.effects.push(moved("审批超时，转上级审批", superiors, ""));
                self.call_again(step);
            }
        }
    }
}

fn moved(what: &'static str, people: Vec<String>, comment: &str) -> Effect {
    Effect::Moved { what, people, comment: comment.trim().to_owned() }
}
