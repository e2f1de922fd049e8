//! Files over HTTP.

use std::path::Path;

use axum::body::Body;
use axum::http::header;
use serde_json::json;

use crate::app::DataScope;
use crate::{TestApp, both};

/// Every file below the files folder.
fn blobs(app: &TestApp) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => walk(&path, found),
                path => found.push(path.display().to_string()),
            }
        }
    }
    let mut found = Vec::new();
    walk(&app.app.config.data_dir.join("files"), &mut found);
    found
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

// covers: CI-02
#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_attached_and_given_out_as_it_came() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let customer = json!({ "kind": "organisation", "name": "天江", "source": "external_report" });
        let customer = li.customer(customer).await;
        assert_eq!(customer["source"], "external_report");
        let id = customer["id"].as_str().unwrap();
        let content = b"%PDF-1.7 \xe5\xa4\x96\xe9\x83\xa8\xe5\x88\x86\xe6\x9e\x90";
        let api = li.with_token().await;
        let made = api.upload("/api/v1/files", &[("customer_id", id)], "../外部 分析.pdf", content).await;
        let made = made.expect(201).json();
        assert_eq!(
            (&made["name"], &made["media_type"]),
            (&json!("外部 分析.pdf"), &json!("application/pdf"))
        );
        assert_eq!(made["size"], json!(content.len()));
        let file = made["id"].as_str().unwrap();
        for path in [format!("/files/{file}"), format!("/files/{file}?inline=1")] {
            let answer = li.get(&path).await.expect(200);
            assert_eq!(answer.body, content);
            assert!(
                answer.header("content-disposition").starts_with("attachment; filename*=UTF-8''%E5%A4%96")
            );
            assert_eq!(answer.header("content-security-policy"), "sandbox; default-src 'none'");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("content-type"), "application/octet-stream");
        }
        assert_eq!(api.get(&format!("/api/v1/files/{file}/content")).await.expect(200).body, content);
        let listed = api.get(&format!("/api/v1/files?customer_id={id}")).await.expect(200).json();
        assert_eq!(listed["items"][0]["id"], made["id"]);
        let tab = li.get_part(&format!("/customers/{id}/files")).await.expect(200).text();
        assert!(tab.contains("外部 分析.pdf"));
        // A picture may be looked at; its type is what it is, not what it is called.
        let picture = li.upload(&format!("/customers/{id}/files"), &[], "evil.html", PNG).await;
        picture.expect(303);
        let picture = api.get(&format!("/api/v1/files?customer_id={id}")).await.json()["items"][0].clone();
        let shown = li.get(&format!("/files/{}?inline=1", picture["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(shown.header("content-type"), "image/png");
        assert!(shown.header("content-disposition").starts_with("inline"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_and_broken_uploads_leave_nothing() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let id = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let id = id.as_str().unwrap();
        let page = format!("/customers/{id}/files");
        let api = li.with_token().await;
        // Too large, empty, for another's customer, for nobody's, no file at all.
        let huge = vec![b'x'; (20 << 20) + 1];
        li.upload(&page, &[], "huge.bin", &huge).await.expect(413);
        api.upload("/api/v1/files", &[("customer_id", id)], "empty.txt", b"").await.expect(422);
        wang.upload(&page, &[], "a.txt", b"a").await.expect(404);
        let other = wang.with_token().await;
        other.upload("/api/v1/files", &[("customer_id", id)], "a.txt", b"a").await.expect(404);
        api.upload("/api/v1/files", &[("customer_id", "01M2Z8Q4T7V0K")], "a.txt", b"a").await.expect(404);
        api.upload("/api/v1/files", &[], "a.txt", b"a").await.expect(422);
        api.json("POST", "/api/v1/files", json!({})).await.expect(415);
        // Broken off in the middle.
        let cut =
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhalf of it";
        let request = li
            .request("POST", &page)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(Body::from(cut))
            .unwrap();
        app.send(request).await.expect(400);
        assert_eq!(blobs(&app), Vec::<String>::new());
        assert_eq!(app.number("SELECT COUNT(*) FROM files").await, 0);
        // Over the quota.
        let set = |tx: &mut store::Tx<'_>| {
            kehu::settings::set(tx, &kehu::access::Actor::command_line(), "files.quota_mib", &1_i64, 1)
        };
        app.app.db.write(set).await.unwrap();
        let full = vec![b'a'; 1 << 20];
        li.upload(&page, &[], "a.txt", &[full.as_slice(), b"a"].concat()).await.expect(409);
        li.upload(&page, &[], "a.txt", &full).await.expect(303);
        assert_eq!(blobs(&app).len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_files_are_gone_at_once_and_their_bytes_a_day_later() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let id = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let api = li.with_token().await;
        let made = api.upload("/api/v1/files", &[("customer_id", id.as_str().unwrap())], "a.txt", b"a").await;
        let made = made.expect(201).json();
        let path = format!("/api/v1/files/{}", made["id"].as_str().unwrap());
        wang.with_token().await.get(&path).await.expect(404);
        wang.get(&format!("/files/{}", made["id"].as_str().unwrap())).await.expect(404);
        let hidden = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden'").await;
        assert_eq!(hidden, 2);
        api.json("DELETE", &path, json!({})).await.expect(428);
        api.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        api.get(&path).await.expect(404);
        kehu::files::purge(&app.app).await.unwrap();
        assert_eq!(blobs(&app).len(), 1, "kept for a day");
        app.clock.advance(25 * 3_600_000);
        assert_eq!(kehu::files::purge(&app.app).await.unwrap().removed, 1);
        assert_eq!(blobs(&app).len(), 0);
        assert_eq!(kehu::files::purge(&app.app).await.unwrap(), kehu::files::Purged::default());
        // Bytes without a row, as a crash leaves them, go too; but only old ones.
        let folder = app.app.config.data_dir.join("files/ZZ/YY");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("orphan"), b"x").unwrap();
        let real = kehu::clock::Clock::System.now();
        app.clock.advance(real - app.app.now());
        assert_eq!(kehu::files::purge(&app.app).await.unwrap().orphans, 0);
        app.clock.advance(25 * 3_600_000);
        assert_eq!(kehu::files::purge(&app.app).await.unwrap().orphans, 1);
        assert_eq!(blobs(&app).len(), 0);
    })
    .await;
}

/// Rows that say a file left, with what they keep.
async fn left(app: &TestApp) -> i64 {
    app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'file.downloaded' AND result = 'ok'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_a_file_stands_in_the_log_before_it_leaves() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let api = li.with_token().await;
        let id = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let id = id.as_str().unwrap();
        let file = api.upload("/api/v1/files", &[("customer_id", id)], "a.png", PNG).await.expect(201).json();
        let file = file["id"].as_str().unwrap();
        let (page, content) = (format!("/files/{file}"), format!("/api/v1/files/{file}/content"));
        // To look at what there is takes nothing away, and neither does asking for the headers.
        api.get(&format!("/api/v1/files/{file}")).await.expect(200);
        for (client, path) in [(&li, &page), (&api, &content)] {
            let head = client.request("HEAD", path).body(Body::empty()).unwrap();
            let head = app.send(head).await.expect(200);
            assert_eq!((head.body.len(), head.header("content-length")), (0, &*PNG.len().to_string()));
        }
        wang.get(&page).await.expect(404);
        assert_eq!(left(&app).await, 0);
        li.get(&page).await.expect(200);
        li.get(&format!("{page}?inline=1")).await.expect(200);
        api.get(&content).await.expect(200);
        assert_eq!(left(&app).await, 3);
        let kept = "SELECT actor_name || '|' || object || '|' || after FROM audit_log
                    WHERE action = 'file.downloaded' AND customer_id > 0 LIMIT 1";
        let kept = app.text(kept).await;
        assert!(
            kept.starts_with("员工li|file|") && kept.contains("a.png") && kept.contains("\"size\":16"),
            "{kept}"
        );
        // A part is never sent, so asking for one takes the whole.
        let part = li.request("GET", &page).header(header::RANGE, "bytes=1-").body(Body::empty()).unwrap();
        assert_eq!(app.send(part).await.expect(200).body, PNG);
        assert_eq!(left(&app).await, 4);
        // Files of forms go the same way.
        let sent = api.upload("/api/v1/case-files", &[], "b.png", PNG).await.expect(201).json();
        let sent = sent["id"].as_str().unwrap();
        li.get(&format!("/cases/files/{sent}?inline=1")).await.expect(200);
        api.get(&format!("/api/v1/case-files/{sent}/content")).await.expect(200);
        wang.get(&format!("/cases/files/{sent}")).await.expect(404);
        assert_eq!(left(&app).await, 6);
    })
    .await;
}
