//! A draft of a regulation is tried on what was done before: which cases would have gone otherwise, and that nothing is
//! written by it.

use serde_json::{Value as Json, json};

use crate::cases::{Retail, act, id, shipped};
use crate::{Client, TestApp, both};

const HOUR: i64 = 3_600_000;

/// A draft of the regulation on complaints with something else in its files.
async fn draft(admin: &Client<'_>, from: &str, to: &str) -> Json {
    let mut files = shipped("retail-complaints");
    let mut is_changed = false;
    for file in files.as_array_mut().unwrap() {
        let text = file["text"].as_str().unwrap();
        let new = text.replacen(from, to, 1);
        is_changed |= new != text;
        file["text"] = new.into();
    }
    assert!(is_changed || from == to, "{from}");
    let draft = admin.json("POST", "/api/v1/policies", json!({ "files": files })).await.expect(201).json();
    assert_eq!(draft["problems"], json!([]), "{draft}");
    draft
}

async fn replays(admin: &Client<'_>, draft: &Json) -> Vec<Json> {
    let path = format!("/api/v1/policies/{}/replay", id(draft));
    admin.get(&path).await.expect(200).json()["items"].as_array().unwrap().clone()
}

fn texts(replay: &Json) -> Vec<&str> {
    replay["changes"].as_array().unwrap().iter().map(|c| c["text"].as_str().unwrap()).collect()
}

async fn rows(app: &TestApp) -> [i64; 4] {
    [
        app.number("SELECT COUNT(*) FROM cases").await,
        app.number("SELECT COUNT(*) FROM case_deeds").await,
        app.number("SELECT COUNT(*) FROM case_trail").await,
        app.number("SELECT COUNT(*) FROM notices").await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_tried_on_the_cases_of_the_past() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let admin = app.administrator().await.with_token().await;
        let case = of.clerk.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(201).json();
        app.app.clock.advance(HOUR);
        let verified = json!({
            "reason_holds": true, "basis": "凭发票", "complained_department": of.buying()["id"],
        });
        act(&of.clerk, &case, "verify.submit", verified).await.expect(200);
        app.app.clock.advance(100 * HOUR);
        let general = app.sign_in(of.pages["general"].person_id).await.with_token().await;
        act(&general, &case, "accept", json!({ "ruling_opinion": "受理" })).await.expect(200);
        assert_eq!(app.number("SELECT COUNT(*) FROM case_deeds").await, 3);
        let before = rows(&app).await;

        let same = draft(&admin, "", "").await;
        let found = replays(&admin, &same).await;
        assert_eq!((&found[0]["result"], &found[0]["changes"]), (&json!("same"), &json!([])), "{found:?}");

        // Four days instead of seven: over by now, and the clause that says so is cited.
        let shorter = draft(&admin, "default = \"7d\"", "default = \"4d\"").await;
        let found = replays(&admin, &shorter).await;
        assert_eq!((&found[0]["result"], &found[0]["number"]), (&json!("changed"), &case["number"]));
        assert!(
            texts(&found[0])
                .iter()
                .any(|text| text.contains("期限是 2026-10-02 16:20，不是 2026-10-05 16:20")),
            "{found:?}"
        );
        assert!(texts(&found[0]).iter().any(|text| text.contains("会逾期")), "{found:?}");
        assert_eq!(found[0]["changes"][0]["clause"], "第二十六条");

        let page = app.sign_in(app.person_id("admin").await).await;
        let list = page.get(&format!("/policies/{}/replay", id(&shorter))).await.expect(200).text();
        assert!(list.contains("按它原来的版本和这个草稿各做一遍"), "{list}");
        let part = page
            .get_part(&format!("/policies/{}/replay/cases?days=90", id(&shorter)))
            .await
            .expect(200)
            .text();
        assert!(part.contains("试跑了 1 张单据，1 张会有不同") && part.contains("会逾期"), "{part}");
        let far = page
            .get_part(&format!("/policies/{}/replay/cases?days=1", id(&shorter)))
            .await
            .expect(200)
            .text();
        assert!(far.contains("没有可以试跑的单据"), "{far}");
        assert_eq!(rows(&app).await, before, "trying writes nothing");

        // Not for everybody, not for what is in force, not for what does not hold together.
        let path = format!("/api/v1/policies/{}/replay", id(&shorter));
        of.personnel.get(&path).await.expect(403);
        let in_force = admin.get("/api/v1/policies").await.expect(200).json();
        let in_force =
            in_force["items"].as_array().unwrap().iter().find(|p| p["state"] == "published").unwrap().clone();
        admin.get(&format!("/api/v1/policies/{}/replay", id(&in_force))).await.expect(409);
        for wrong in ["days=0", "days=x", "after=x", "limit=0"] {
            admin.get(&format!("{path}?{wrong}")).await.expect(422);
        }
        admin.get("/api/v1/policies/0000000000001/replay").await.expect(404);

        // A case of which nothing is kept, as an older program left it, is told as such.
        let forget = |tx: &mut store::Tx<'_>| tx.exec("DELETE FROM case_deeds", &[]);
        app.app.db.write(forget).await.unwrap();
        assert_eq!(replays(&admin, &shorter).await[0]["result"], "not_kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_draft_would_have_refused_is_told_with_who_did_it() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let admin = app.administrator().await.with_token().await;
        of.clerk.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(201);
        let refusal = "id = \"close_within\"";
        let mut files = shipped("retail-complaints");
        for file in files.as_array_mut().unwrap() {
            let text = file["text"].as_str().unwrap().to_owned();
            if text.contains(refusal) {
                file["text"] = format!(
                    "{text}\n[[refusal]]\nid = \"no-fridges\"\non = \"complaint.open\"\nwhen = \"case.request.contains('冰箱')\"\nmessage = \"冰箱另行受理\"\nclause = \"第二十六条\"\n"
                )
                .into();
            }
        }
        let draft = admin.json("POST", "/api/v1/policies", json!({ "files": files })).await.expect(201).json();
        assert_eq!(draft["problems"], json!([]), "{draft}");
        let found = replays(&admin, &draft).await;
        let change = &found[0]["changes"][0];
        assert_eq!((&change["is_refusal"], &change["clause"]), (&json!(true), &json!("第二十六条")), "{found:?}");
        let text = change["text"].as_str().unwrap();
        assert!(text.starts_with("“开单”（2026-09-28 16:20，") && text.contains("会被拒绝：冰箱另行受理"), "{text}");
    })
    .await;
}
