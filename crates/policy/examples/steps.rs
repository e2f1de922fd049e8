//! `cargo run --release -p policy --example steps`: steps of the engine per second on one core, for complaints of a
//! shop from the opening to the end, with their conditions, deadlines, approvals and ticks. Goal: 100,000.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use policy::case::Case;
use policy::engine::{Moment, Outcome, Verdict};
use policy::model::Form;
use policy::value::{Kind, Millis, Value};
use policy::world::World;
use policy::{Policy, SourceFile};
use workday::Calendar;

#[path = "support/vocabulary.rs"]
mod vocabulary;

const HOUR: Millis = 3_600_000;

/// An organisation that answers as fast as one in memory does.
struct Company {
    calendar: Calendar,
    facts: BTreeMap<(&'static str, &'static str), Value>,
    posts: BTreeMap<&'static str, Vec<String>>,
}

impl World for Company {
    fn fact(&self, _: Kind, id: &str, name: &str) -> Value {
        self.facts.get(&(id, name)).cloned().unwrap_or_default()
    }
    fn holders(&self, posts: &[String], _: Option<&str>) -> Vec<String> {
        posts.iter().filter_map(|post| self.posts.get(post.as_str())).flatten().cloned().collect()
    }
    fn on_duty(&self, _: &str, _: Millis) -> Vec<String> {
        Vec::new()
    }
    fn on_duty_on(&self, _: &str, _: jiff::civil::Date) -> Vec<String> {
        Vec::new()
    }
    fn earlier_cases(&self, _: &str, _: &str, _: &[(&str, &Value)], _: Millis) -> i64 {
        1
    }
    fn has_case(&self, _: &str, _: &str, _: &str, _: Millis) -> bool {
        false
    }
    fn cases(&self, _: &policy::world::CaseQuery<'_>) -> Vec<serde_json::Value> {
        Vec::new()
    }
    fn customers_of(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
    fn is_under(&self, _: &str, _: &str) -> bool {
        true
    }
    fn delegate_of(&self, _: &str, _: Millis) -> Option<String> {
        None
    }
    fn calendar(&self, _: Option<&str>) -> &Calendar {
        &self.calendar
    }
    fn is_exempt(&self, _: &str, _: &str, _: &str, _: Millis) -> bool {
        false
    }
    fn name(&self, _: Kind, id: &str) -> String {
        id.to_owned()
    }
    fn administrators(&self) -> Vec<String> {
        vec!["白总".into()]
    }
    fn penalties_in_month(&self, _: &str, _: &[String], _: Millis) -> i64 {
        0
    }
}

fn company() -> Company {
    let facts = [
        (("一店", "head"), "任店长"),
        (("采购部", "head"), "采购经理"),
        (("任店长", "superior"), "区域经理"),
        (("客服小林", "superior"), "营运经理"),
        (("采购员", "superior"), "采购经理"),
        (("采购经理", "superior"), "白总"),
    ];
    let posts = [
        ("客户服务人员", "店员甲"),
        ("营运部客服", "客服小林"),
        ("行政人事人员", "吕佳"),
        ("总经理", "白总"),
    ];
    Company {
        calendar: Calendar::mainland(),
        facts: facts.into_iter().map(|(key, value)| (key, Value::text(value))).collect(),
        posts: posts.into_iter().map(|(post, person)| (post, vec![person.to_owned()])).collect(),
    }
}

struct Run<'a> {
    policy: &'a Policy,
    form: &'a Form,
    company: &'a Company,
    now: Millis,
    case: Case,
    steps: u64,
}

impl Run<'_> {
    fn moment<'m>(&'m self, who: &'m str) -> Moment<'m> {
        Moment { now: self.now, actor: (!who.is_empty()).then_some(who), world: self.company }
    }

    fn values(&self, values: &[(&str, Value)]) -> Vec<(usize, Value)> {
        values.iter().map(|(name, value)| (self.form.field(name).expect("a field"), value.clone())).collect()
    }

    fn take(&mut self, outcome: Outcome) {
        self.case = std::hint::black_box(outcome).case;
        self.steps += 1;
        self.now += HOUR;
    }

    fn act(&mut self, who: &str, action: &str, values: &[(&str, Value)]) {
        let values = self.values(values);
        let outcome = self.policy.act(&self.case, action, values, self.moment(who)).expect("an act");
        self.take(outcome);
    }

    fn yes(&mut self, who: &str, values: &[(&str, Value)]) {
        let values = self.values(values);
        let outcome = self
            .policy
            .decide(&self.case, &Verdict::Approve, "同意", values, self.moment(who))
            .expect("a yes");
        self.take(outcome);
    }

    /// Timers that are due by now.
    fn ticks(&mut self) {
        while let Some(at) = self.policy.wakes_at(&self.case, self.company).filter(|at| *at <= self.now) {
            let moment = Moment { now: at, actor: None, world: self.company };
            self.case = self.policy.tick(&self.case, moment).expect("a tick").case;
            self.steps += 1;
        }
    }

    /// One complaint, from the shop to the answer; every second one takes long and is paid for.
    fn complaint(&mut self, number: u64) {
        let text = |text: &str| Value::text(text);
        let is_slow = number % 2 == 1;
        let opened = [
            ("store", text("一店")),
            ("complainant", text("终端消费者")),
            ("customer_name", text("张三")),
            ("phone", text("13800000000")),
            ("demands", Value::texts(["退货", "损害赔偿"])),
            ("request", text("冰箱不制冷,要求退货并赔偿损失")),
        ];
        let opened = self.values(&opened);
        let outcome =
            self.policy.open("complaint", "c1", "TS-1", opened, self.moment("店员甲")).expect("opened");
        self.take(outcome);
        let basis = [
            ("reason_holds", Value::Bool(true)),
            ("basis", text("凭发票和照片核实")),
            ("complained_department", text("采购部")),
        ];
        self.act("店员甲", "verify.submit", &basis);
        self.act("区域经理", "accept", &[("ruling_opinion", text("理由成立"))]);
        self.act(
            "吕佳",
            "assign.submit",
            &[
                ("department", text("采购部")),
                ("investigator", text("采购员")),
                ("instruction", text("查明批次")),
            ],
        );
        if is_slow {
            self.now += 160 * HOUR;
            self.ticks();
        }
        let report = ["cause", "course", "responsible", "conclusion", "countermeasure", "prevention"]
            .map(|field| (field, text("查明如报告")));
        let report: Vec<(&str, Value)> = report
            .into_iter()
            .chain([("original", Value::texts(["f1"])), ("cause_code", text("商品质量"))])
            .collect();
        self.act("采购员", "investigate.submit", &report);
        self.yes("采购经理", &[]);
        self.act("吕佳", "submit-to-gm", &[("admin_opinion", text("建议退货"))]);
        self.yes("白总", &[("gm_note", text("同意"))]);
        let mut opinion = vec![("handling_opinion", text("退货退款")), ("compensates", Value::Bool(is_slow))];
        if is_slow {
            opinion.extend([
                ("compensation_kind", text("赔偿")),
                ("compensation", Value::Money(80_000)),
                ("order_no", text("XS-1")),
            ]);
        }
        self.act("采购员", "handle.submit", &opinion);
        self.yes("采购经理", &[]);
        if is_slow {
            self.yes("白总", &[]);
        }
        let reply = [
            ("reply_manner", text("口头")),
            ("reply_channel", text("电话")),
            ("reply", text("同意退货退款")),
            ("replied_at", Value::Time(self.now)),
            ("reaction", text("满意")),
        ];
        self.act("客服小林", "close", &reply);
        self.ticks();
        assert_eq!(self.case.outcome.as_deref(), Some("已结案"));
        assert_eq!(!self.case.marks.is_empty(), is_slow, "late when slow");
    }
}

/// How long this thread has had a core: others that run at the same time do not count. Zero where it cannot be told.
fn core_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|used| used.parse().ok()).unwrap_or(0))
}

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/retail-complaints");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") {
            files.push(SourceFile { name, text: std::fs::read_to_string(entry.path()).expect("readable") });
        }
    }
    let begun = Instant::now();
    let checked = policy::check(&files, &Default::default(), &vocabulary::vocabulary());
    let policy = checked.unwrap_or_else(|problems| panic!("{problems:#?}"));
    println!("checking the policy: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    let company = company();
    let form = policy.form("complaint").expect("a form").clone();
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let (begun, used, mut steps, mut cases) = (Instant::now(), core_time(), 0, 0);
        while begun.elapsed() < Duration::from_secs(2) {
            for _ in 0..50 {
                let now = 1_790_583_600_000;
                let mut run = Run {
                    policy: &policy,
                    form: &form,
                    company: &company,
                    now,
                    case: Case::default(),
                    steps: 0,
                };
                run.complaint(cases);
                steps += run.steps;
                cases += 1;
            }
        }
        let seconds = (core_time() - used).as_secs_f64();
        let rate = steps as f64 / if seconds > 0.0 { seconds } else { begun.elapsed().as_secs_f64() };
        println!("{cases} complaints, {steps} steps: {rate:.0} steps/s on one core");
        best = best.max(rate);
    }
    println!("best: {best:.0} steps/s");
}
