//! Kept counts say what counting says, whatever was done and by how many at once.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::{Client, TestApp, both};

/// Random numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len())]
    }
}

const CLASSES: [&str; 4] = ["potential", "key", "ordinary", "gone"];
const REGIONS: [&str; 3] = ["", "广东省/广州市/天河区", "北京市"];

fn json_of(answer: &crate::Answer) -> Json {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// Lets all of them go on at the same time, in turns.
async fn at_once<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = all.map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if waiting.iter().all(|(_, done)| done.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

async fn step(who: &Client<'_>, customers: &[String], owners: &[String], dice: &mut Dice) {
    let id = dice.one_of(customers).clone();
    let path = format!("/api/v1/customers/{id}");
    let known = who.get(&path).await;
    let etag = known.header("etag").to_owned();
    let change = |body: Json| {
        let (who, path, etag) = (who.clone(), path.clone(), etag.clone());
        async move { who.json_with("PATCH", &path, body, &[("If-Match", &etag)]).await }
    };
    let answer = match dice.roll(12) {
        0 => change(json!({ "class": dice.one_of(&CLASSES), "region": dice.one_of(&REGIONS) })).await,
        1 => change(json!({ "owner_id": dice.one_of(owners) })).await,
        2 => change(json!({ "phone": if dice.roll(2) == 0 { "" } else { "13812345678" } })).await,
        3 => who.post_form(&format!("/customers/{id}/delete"), &[]).await,
        4 | 5 => who.post_form(&format!("/customers/{id}/restore"), &[]).await,
        6 => {
            who.json(
                "POST",
                "/api/v1/contacts",
                json!({ "customer_id": id, "name": "李四", "phone": "13900001111" }),
            )
            .await
        }
        7 => {
            let all = who.get(&format!("/api/v1/contacts?customer_id={id}")).await;
            let Some(first) = json_of(&all)["items"][0]["id"].as_str().map(str::to_owned) else { return };
            who.post_form(&format!("/contacts/{first}/delete"), &[]).await
        }
        8 | 9 => {
            let body = json!({ "customer_id": id, "kind": "need", "subject": "要报价", "body": "要报价", "source": "phone" });
            who.json("POST", "/api/v1/activities", body).await
        }
        10 => {
            let all = who.get(&format!("/api/v1/activities?customer_id={id}")).await;
            let Some(first) = json_of(&all)["items"][0]["id"].as_str().map(str::to_owned) else { return };
            who.post_form(&format!("/activities/{first}/done"), &[]).await
        }
        _ => {
            let all = who.get(&format!("/api/v1/activities?customer_id={id}")).await;
            let Some(first) = json_of(&all)["items"][0]["id"].as_str().map(str::to_owned) else { return };
            who.post_form(&format!("/activities/{first}/delete"), &[]).await
        }
    };
    assert!(answer.status.as_u16() < 500, "{} {}", answer.status, answer.text());
}

async fn company(app: &TestApp) -> (Vec<String>, Vec<String>) {
    let boss = app.administrator().await;
    let mut customers = Vec::new();
    for n in 0..4 {
        let made = boss
            .customer(json!({ "kind": "organisation", "name": format!("天江{n}有限公司"), "class": "key" }))
            .await;
        customers.push(made["id"].as_str().unwrap().to_owned());
    }
    let mut owners = vec![boss.person_id.to_string()];
    for name in ["gao", "lin"] {
        owners.push(app.staff(name, DataScope::All).await.person_id.to_string());
    }
    (customers, owners)
}

// covers: R7
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn kept_counts_do_not_drift_when_many_change_the_same_customers_at_once() {
    both(|app| async move {
        let (customers, owners) = company(&app).await;
        let boss = app.administrator().await;
        let work = (1..=6_u64).map(|seed| {
            let (boss, customers, owners) = (boss.clone(), &customers, &owners);
            async move {
                let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                for _ in 0..60 {
                    step(&boss, customers, owners, &mut dice).await;
                }
            }
        });
        at_once(work).await;
        let drifted = app.app.db.read(kehu::customers::drifted).await.unwrap();
        assert!(drifted.is_empty(), "{drifted:?}");
        let primaries = app
            .number(
                "SELECT COUNT(*) FROM (SELECT customer_id FROM contacts WHERE is_primary AND deleted_at IS NULL
                 GROUP BY customer_id HAVING COUNT(*) > 1) many",
            )
            .await;
        assert_eq!(primaries, 0);
    })
    .await;
}

// covers: R7
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_changes_to_one_version_exactly_one_is_taken() {
    both(|app| async move {
        let boss = app.administrator().await.with_token().await;
        let made = boss.customer(json!({ "kind": "person", "name": "王五" })).await;
        let path = format!("/api/v1/customers/{}", made["id"].as_str().unwrap());
        let work = (0..100).map(|n| {
            let (boss, path) = (boss.clone(), path.clone());
            async move {
                let body = json!({ "remark": format!("第 {n} 个") });
                boss.json_with("PATCH", &path, body, &[("If-Match", "\"1\"")]).await.status.as_u16()
            }
        });
        let answers = at_once(work).await;
        assert_eq!(answers.iter().filter(|s| **s == 200).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|s| **s == 412).count(), 99, "{answers:?}");
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customer.updated'").await, 1);
    })
    .await;
}
