//! Mail: a server that speaks enough SMTP, people who want mail and people who do not, and a server that goes away.

use std::sync::{Arc, Mutex};

use kehu::mail;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::app::DataScope;
use crate::{Client, TestApp, both};

const MINUTE: i64 = 60_000;

/// What a server does with mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// Takes it.
    Takes,
    /// Asks to come again.
    Busy,
    /// Knows no such address.
    Refuses,
    /// Takes it, and goes away before it says so.
    GoesAway,
}

/// A server that speaks enough SMTP, on a port of its own.
struct Smtp {
    port: u16,
    mood: Arc<Mutex<Mood>>,
    got: Arc<Mutex<Vec<String>>>,
    logins: Arc<Mutex<Vec<String>>>,
}

impl Smtp {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let this = Self {
            port,
            mood: Arc::new(Mutex::new(Mood::Takes)),
            got: Arc::default(),
            logins: Arc::default(),
        };
        let (mood, got, logins) = (this.mood.clone(), this.got.clone(), this.logins.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, mood.clone(), got.clone(), logins.clone()));
            }
        });
        this
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

async fn serve(
    stream: tokio::net::TcpStream,
    mood: Arc<Mutex<Mood>>,
    got: Arc<Mutex<Vec<String>>>,
    logins: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test ESMTP\r\n").await.ok()?;
    loop {
        let line = lines.next_line().await.ok()??;
        let now = *mood.lock().unwrap();
        let verb = line.get(..4).unwrap_or("").to_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n",
            "AUTH" => {
                logins.lock().unwrap().push(line.clone());
                "235 ok\r\n"
            }
            "RCPT" if now == Mood::Busy => "451 later\r\n",
            "RCPT" if now == Mood::Refuses => "550 no such user\r\n",
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = String::new();
                loop {
                    let line = lines.next_line().await.ok()??;
                    if line == "." {
                        break;
                    }
                    text.push_str(&line);
                    text.push('\n');
                }
                got.lock().unwrap().push(text);
                if now == Mood::GoesAway {
                    return None;
                }
                "250 taken\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            _ => "250 ok\r\n",
        };
        write.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn set(admin: &Client<'_>, port: u16, version: &str) {
    let port = port.to_string();
    let form = [
        ("is_on", "1"),
        ("host", "127.0.0.1"),
        ("port", port.as_str()),
        ("security", "none"),
        ("username", "kehu"),
        ("sender", "客户系统 <kehu@example.com>"),
        ("version", version),
    ];
    admin.post_form("/admin/mail", &form).await.expect(303);
}

/// Tells somebody something.
async fn tell(app: &TestApp, who: &Client<'_>, text: &'static str) {
    let (person, now) = (who.person_id, app.app.now());
    app.app
        .db
        .write(move |tx| {
            tx.exec(
                "INSERT INTO notices (id, person_id, at, kind, text) VALUES ($1, $2, $3, 'warned', $4)",
                &[store::new_id().into(), person.into(), now.into(), text.into()],
            )
        })
        .await
        .unwrap();
}

async fn address(app: &TestApp, who: &Client<'_>, email: &'static str) {
    let person = who.person_id;
    let sql = "UPDATE people SET email = $2 WHERE id = $1";
    app.app.db.write(move |tx| tx.exec(sql, &[person.into(), email.into()])).await.unwrap();
}

async fn run(app: &TestApp) {
    mail::run_due(&app.app).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_mail_gets_it_once_and_it_comes_through_when_the_server_is_back() {
    both(|app| async move {
        let smtp = Smtp::start().await;
        let admin = app.administrator().await;
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        li.get("/admin/mail").await.expect(403);
        // Without an address nobody can want mail.
        let refused = li.post_form("/me/mail", &[("wants", "1")]).await.expect(422).text();
        assert!(refused.contains("您还没有登记有效的邮箱"), "{refused}");
        address(&app, &li, "li@example.com").await;
        address(&app, &wang, "wang@example.com").await;
        li.post_form("/me/mail", &[("wants", "1")]).await.expect(303);
        tell(&app, &li, "早先的提醒").await;
        // Wrong settings are refused, and a way in the clear leads nowhere but to this machine.
        for (name, value, said) in [
            ("host", "not a host", "请填写邮件服务器"),
            ("port", "0", "端口为 1–65535"),
            ("sender", "nobody", "发件人要写成"),
            ("security", "clear", "请选择加密方式"),
            ("host", "mail.example.com", "只能用于本机"),
        ] {
            let mut form = vec![
                ("is_on", "1"),
                ("host", "127.0.0.1"),
                ("port", "25"),
                ("security", "none"),
                ("sender", "a@example.com"),
                ("version", "0"),
            ];
            form.push((name, value));
            let refused = admin.post_form("/admin/mail", &form).await.expect(422).text();
            assert!(refused.contains(said), "{said}: {refused}");
        }
        app.clock.advance(MINUTE);
        run(&app).await;
        set(&admin, smtp.port, "0").await;
        run(&app).await;
        app.clock.advance(3_000);
        tell(&app, &li, "《请假办法》审批已超时").await;
        tell(&app, &li, "第二条提醒").await;
        tell(&app, &wang, "给王的提醒").await;
        app.clock.advance(3_000);
        kehu::jobs::begin_recurring(&app.app).await;
        kehu::jobs::run_all(&app.app).await.unwrap();
        run(&app).await;
        let got = smtp.got();
        assert_eq!(got.len(), 1, "two notices in one mail, none for whoever wants none: {got:?}");
        assert!(got[0].contains("To: li@example.com") && got[0].contains("Message-ID: <"), "{got:?}");
        assert!(got[0].contains("kehu@example.com") && !smtp.logins.lock().unwrap().is_empty());
        assert_eq!(app.number("SELECT COUNT(*) FROM mails WHERE state = 'sent'").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM mails WHERE body LIKE '%早先%'").await, 0);
        // A busy server: it waits, longer each time, and is sent once in the end.
        smtp.is(Mood::Busy);
        tell(&app, &li, "第三条提醒").await;
        app.clock.advance(3_000);
        run(&app).await;
        run(&app).await;
        let attempts = "SELECT attempts FROM mails WHERE state = 'waiting'";
        assert_eq!(app.number(attempts).await, 1);
        app.clock.advance(MINUTE);
        run(&app).await;
        app.clock.advance(MINUTE);
        run(&app).await;
        assert_eq!(app.number(attempts).await, 2);
        let page = admin.get("/admin/mail").await.expect(200).text();
        assert!(page.contains("451") && page.contains("li@example.com"), "{page}");
        smtp.is(Mood::Takes);
        app.clock.advance(4 * MINUTE);
        run(&app).await;
        assert_eq!(smtp.got().len(), 2);
        // Sent, but the program never heard so: it comes again under the same name.
        smtp.is(Mood::GoesAway);
        tell(&app, &li, "第四条提醒").await;
        app.clock.advance(3_000);
        run(&app).await;
        smtp.is(Mood::Takes);
        app.clock.advance(10 * MINUTE);
        run(&app).await;
        run(&app).await;
        let got = smtp.got();
        assert_eq!(got.len(), 4);
        let name = |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
        assert_eq!(name(&got[2]), name(&got[3]));
        assert_ne!(name(&got[0]), name(&got[3]));
        // An address nobody has is given up at once, until somebody asks again.
        smtp.is(Mood::Refuses);
        tell(&app, &li, "第五条提醒").await;
        app.clock.advance(3_000);
        run(&app).await;
        assert_eq!(app.number("SELECT COUNT(*) FROM mails WHERE state = 'failed'").await, 1);
        smtp.is(Mood::Takes);
        app.clock.advance(24 * 60 * MINUTE);
        run(&app).await;
        assert_eq!(smtp.got().len(), 4);
        let admin = app.sign_in(admin.person_id).await;
        admin.post_form("/admin/mail/retry", &[]).await.expect(303);
        run(&app).await;
        assert_eq!(smtp.got().len(), 5);
        // Whoever wants none any more gets none.
        let li = app.sign_in(li.person_id).await;
        li.post_form("/me/mail", &[]).await.expect(303);
        tell(&app, &li, "第六条提醒").await;
        app.clock.advance(3_000);
        run(&app).await;
        assert_eq!(smtp.got().len(), 5);
    })
    .await;
}
