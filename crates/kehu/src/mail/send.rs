//! Sending what waits, one mail at a time, outside of any transaction.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use store::Tx;

use super::gather;
use super::model::{Security, Server, TRIES, pause};
use super::settings::server;
use crate::app::App;
use crate::cases::Ground;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::MailId;
use crate::jobs::{self, Kind, Outcome, Recurring, Task, Work};

const SEND: &str = "mail.send";
/// How long a mail belongs to who is sending it.
const LEASE: Millis = 5 * 60_000;
/// How long a server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(30);
/// Mails one run sends at the most; the next run goes on.
const MOST: usize = 500;

/// What background work there is.
pub const JOBS: &[Kind] = &[Kind { name: SEND, run: send_job, on_dead: |_, _, _, _| Ok(()) }];

/// What recurs.
pub const RECURRING: &[Recurring] = &[recur];

/// Enqueues the work when mail is on, something waits, and none is under way.
fn recur(tx: &mut Tx<'_>, _: &Zone, now: Millis) -> store::Result<()> {
    if !server(tx)?.is_on {
        return Ok(());
    }
    let waiting =
        "SELECT COUNT(*) FROM (SELECT 1 FROM mails WHERE state = 'waiting' AND next_at <= $1 LIMIT 1) due";
    if tx.count(waiting, &[now.into()])? == 0 && !gather::is_behind(tx, now)? {
        return Ok(());
    }
    let under_way = tx.count(
        "SELECT COUNT(*) FROM jobs WHERE kind = $1 AND state IN ('waiting', 'running')",
        &[SEND.into()],
    )?;
    if under_way == 0 {
        jobs::enqueue(tx, SEND, 0, now)?;
    }
    Ok(())
}

fn send_job(app: App, task: Task) -> Work {
    Box::pin(async move {
        let stopping = || task.is_stopping();
        Ok(if keep(&app, &stopping).await? { Outcome::Done } else { Outcome::Interrupted })
    })
}

/// Gathers and sends what waits now: for tests.
pub async fn run_due(app: &App) -> Result<(), AppError> {
    keep(app, &|| false).await.map(drop)
}

async fn keep(app: &App, is_stopping: &(impl Fn() -> bool + Sync)) -> Result<bool, AppError> {
    let server = app.db.read(server).await?;
    if !server.is_on {
        return Ok(true);
    }
    let Ok(sender) = server.sender.parse::<Mailbox>() else {
        return Err(AppError::Internal("the sender of mail is no address".into()));
    };
    let ground = Ground::of(app).await?;
    let company = app.company().await?.map_or_else(String::new, |company| company.name);
    loop {
        if is_stopping() {
            return Ok(false);
        }
        let (of, company, domain) = (ground.clone(), company.clone(), sender.email.domain().to_owned());
        if !app.db.write(move |tx| gather::gather(tx, &of, &company, &domain)).await? {
            break;
        }
    }
    let transport = transport(&server, app.config.smtp_password.reveal())?;
    for _ in 0..MOST {
        if is_stopping() {
            return Ok(false);
        }
        let now = app.now();
        let Some(mail) = app.db.write(move |tx| claim(tx, now)).await? else { break };
        let sent = send(&transport, &sender, &mail).await;
        let now = app.now();
        app.db.write(move |tx| settle(tx, mail.id, mail.attempts, sent.as_ref().err(), now)).await?;
    }
    Ok(true)
}

/// A mail that is being sent.
struct Mail {
    id: MailId,
    recipient: String,
    subject: String,
    body: String,
    message_id: String,
    attempts: i64,
}

/// Takes the next mail; nobody else does until its lease is over.
fn claim(tx: &mut Tx<'_>, now: Millis) -> Result<Option<Mail>, AppError> {
    let lock = tx.for_change();
    let sql = format!(
        "SELECT id FROM mails WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at, id LIMIT 1 {lock}"
    );
    let Some(id) = tx.value::<MailId>(&sql, &[now.into()])? else { return Ok(None) };
    let found: Option<(String, String, String, String, i64)> = tx.row(
        "UPDATE mails SET next_at = $2, attempts = attempts + 1 WHERE id = $1 AND state = 'waiting'
         RETURNING recipient, subject, body, message_id, attempts",
        &[id.into(), (now + LEASE).into()],
    )?;
    Ok(found.map(|(recipient, subject, body, message_id, attempts)| Mail {
        id,
        recipient,
        subject,
        body,
        message_id,
        attempts,
    }))
}

/// Why a mail was not taken.
#[derive(Clone, Debug)]
struct Trouble {
    text: String,
    is_final: bool,
}

fn settle(
    tx: &mut Tx<'_>,
    id: MailId,
    attempts: i64,
    trouble: Option<&Trouble>,
    now: Millis,
) -> Result<(), AppError> {
    let Some(trouble) = trouble else {
        tx.exec(
            "UPDATE mails SET state = 'sent', sent_at = $2, last_error = '' WHERE id = $1 AND state = 'waiting'",
            &[id.into(), now.into()],
        )?;
        return Ok(());
    };
    tracing::warn!(mail = %id, tries = attempts, error = trouble.text, "a mail was not taken");
    let state = if trouble.is_final || attempts >= TRIES { "failed" } else { "waiting" };
    let text: String = trouble.text.chars().take(500).collect();
    tx.exec(
        "UPDATE mails SET state = $2, next_at = $3, last_error = $4 WHERE id = $1 AND state = 'waiting'",
        &[id.into(), state.into(), (now + pause(attempts)).into(), (&text).into()],
    )?;
    Ok(())
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn transport(server: &Server, password: &str) -> Result<Transport, AppError> {
    let parameters = || {
        TlsParameters::new(server.host.clone())
            .map_err(|error| AppError::Internal(format!("TLS for mail: {error}")))
    };
    let tls = match server.security {
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::StartTls => Tls::Required(parameters()?),
        Security::None => Tls::None,
    };
    let mut builder =
        Transport::builder_dangerous(&server.host).port(server.port).tls(tls).timeout(Some(PATIENCE));
    if !server.username.is_empty() {
        builder = builder.credentials(Credentials::new(server.username.clone(), password.to_owned()));
    }
    Ok(builder.build())
}

async fn send(transport: &Transport, sender: &Mailbox, mail: &Mail) -> Result<(), Trouble> {
    let to = mail.recipient.parse::<Mailbox>();
    let to = to.map_err(|error| Trouble { text: format!("{}: {error}", mail.recipient), is_final: true })?;
    let message = Message::builder()
        .from(sender.clone())
        .to(to)
        .subject(&mail.subject)
        .message_id(Some(mail.message_id.clone()))
        .header(ContentType::TEXT_PLAIN)
        .body(mail.body.clone())
        .map_err(|error| Trouble { text: error.to_string(), is_final: true })?;
    match transport.send(message).await {
        Ok(_) => Ok(()),
        Err(error) => {
            // A wrong password is the administrator's to mend: the mail waits for that.
            let is_final =
                error.is_permanent() && error.status().is_some_and(|code| code.to_string().starts_with("55"));
            Err(Trouble { text: error.to_string(), is_final })
        }
    }
}
