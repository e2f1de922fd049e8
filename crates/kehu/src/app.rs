//! What every request needs: database, settings, clock, and the few things kept in memory.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use store::Db;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::{self, Actor, ActorFacts, Directory, Rights, Via};
use crate::auth::{Passwords, SessionCache};
use crate::calendar::CalendarCache;
use crate::catalogue::{Catalogue, CatalogueCache};
use crate::clock::{Clock, Millis, Zone};
use crate::config::Config;
use crate::error::AppError;
use crate::expr::{Expr, Schema};
use crate::i18n::Lang;
use crate::ids::PersonId;
use crate::org::{self, Records};
use crate::text;
use crate::web::{Hooks, MenuItem, Module, Strangers};

/// How long an export waits for one of the others to end before it is refused.
const EXPORT_PATIENCE: Duration = Duration::from_secs(3);

/// The application, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// Its parts.
pub struct Inner {
    /// The database.
    pub db: Db,
    /// Settings of the process.
    pub config: Config,
    /// Where `now` comes from.
    pub clock: Clock,
    /// The company's time zone.
    pub zone: Zone,
    /// Password hashing.
    pub passwords: Passwords,
    /// Who recent secrets belong to.
    pub sessions: SessionCache,
    /// What the shell shows of features above it.
    pub hooks: Hooks,
    /// Needed to set the company up from another machine than this one; printed at start.
    pub setup_code: String,
    /// Makes PDFs; fonts are looked for when the first page is printed.
    pub printer: print::Printer,
    /// Wakes the worker that runs background jobs.
    pub jobs_waiting: tokio::sync::Notify,
    /// Which addresses of people who are not signed in have left a row lately.
    pub(crate) strangers: Strangers,
    uses: org::RoleUses,
    exports: Arc<Semaphore>,
    catalogue: CatalogueCache,
    calendar: CalendarCache,
    directory: Mutex<Option<Arc<Directory>>>,
    company: Mutex<Option<(Company, Millis)>>,
}

/// The company, as every page shows it.
#[derive(Clone, Debug)]
pub struct Company {
    /// Its name.
    pub name: String,
    /// Whether it is the demonstration.
    pub is_demo: bool,
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Does work to its end even if whoever waits for it goes away: what was begun for a client that has hung up is neither
/// left half done nor taken back.
pub async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, AppError>> + Send + 'static,
) -> Result<T, AppError> {
    tokio::spawn(work).await.map_err(|e| AppError::Internal(format!("work that goes on by itself: {e}")))?
}

impl App {
    /// Puts the parts together; the schema must be up to date.
    pub fn new(db: Db, config: Config, clock: Clock, hooks: Hooks) -> Result<Self, AppError> {
        // Half of the readers stay with everybody else, whatever is taken out at the moment.
        let exports = Arc::new(Semaphore::new((db.readers() / 2).max(1)));
        let printer = print::Printer::new(print::Fonts {
            folders: vec![config.data_dir.join("fonts")],
            ..print::Fonts::default()
        });
        Ok(Self(Arc::new(Inner {
            db,
            config,
            clock,
            zone: Zone::default(),
            passwords: Passwords::new()?,
            sessions: SessionCache::default(),
            hooks,
            // Random: an id would tell when the process started and little else.
            setup_code: crate::auth::new_secret()?.chars().take(12).collect(),
            printer,
            jobs_waiting: tokio::sync::Notify::new(),
            strangers: Strangers::default(),
            uses: org::RoleUses::default(),
            exports,
            catalogue: CatalogueCache::default(),
            calendar: CalendarCache::default(),
            directory: Mutex::new(None),
            company: Mutex::new(None),
        })))
    }

    /// The time now.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The company's dictionaries and fields.
    pub async fn catalogue(&self) -> Result<Arc<Catalogue>, AppError> {
        self.catalogue.get(&self.db, self.now()).await
    }

    /// Forgets the dictionaries and fields in memory; call after changing them.
    pub fn forget_catalogue(&self) {
        self.catalogue.clear();
    }

    /// The company's working days: the mainland's holidays and what the company does otherwise.
    pub async fn calendar(&self) -> Result<Arc<workday::Calendar>, AppError> {
        self.calendar.get(&self.db, self.now()).await
    }

    /// Forgets the working days in memory; call after changing them.
    pub fn forget_calendar(&self) {
        self.calendar.clear();
    }

    /// The organisation and its roles as they stand now. Read anew when they changed, on whichever server.
    pub async fn directory(&self) -> Result<Arc<Directory>, AppError> {
        let epoch = self.db.read(org::epoch).await?;
        self.directory_of(epoch).await
    }

    async fn directory_of(&self, epoch: i64) -> Result<Arc<Directory>, AppError> {
        if let Some(held) = &*self.directory.lock().unwrap_or_else(PoisonError::into_inner)
            && held.epoch == epoch
        {
            return Ok(Arc::clone(held));
        }
        let (day, now) = (self.today().to_string(), self.now());
        let parts = self.db.read(move |conn| org::load_parts(conn, &day, now)).await?;
        let schema = Schema::customers(&self.catalogue().await?.custom_fields).in_zone(self.zone.clone());
        let compile = |source: &str| {
            let condition = Expr::compile(source, &schema).ok()?;
            Some(Arc::new(condition) as Arc<dyn access::Condition>)
        };
        let fresh = Arc::new(Directory::new(parts, &compile));
        *self.directory.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// What a person may do now, grants on single records included.
    pub async fn rights(&self, person: PersonId) -> Result<Arc<Rights>, AppError> {
        let now = self.now();
        let (epoch, records) = self
            .db
            .read(move |conn| Ok::<_, AppError>((org::epoch(conn)?, org::load_records(conn, person, now)?)))
            .await?;
        self.rights_from(person, epoch, records).await
    }

    /// `rights` from what was read already.
    pub(crate) async fn rights_from(
        &self,
        person: PersonId,
        epoch: i64,
        records: Records,
    ) -> Result<Arc<Rights>, AppError> {
        let directory = self.directory_of(epoch).await?;
        let mut rights = directory.rights(person, &self.today().to_string(), self.now());
        if records == Records::default() {
            return Ok(Arc::new(rights));
        }
        // A grant ends to the millisecond, for whoever is just looking at the customer too.
        rights.holds_until = [rights.holds_until, records.ends_at].into_iter().flatten().min();
        let mut granted = std::collections::HashMap::<i64, Vec<_>>::new();
        for (customer, role) in records.granted {
            if let Some(bundle) = directory.role(role).filter(|r| r.is_bundle) {
                granted.entry(customer).or_default().push(Arc::clone(bundle));
            }
        }
        Ok(Arc::new(rights.with_records(granted, records.excluded)))
    }

    /// A person acting through a background job or a command, with the rights he has now. `None` for one who is not
    /// there or may not sign in.
    pub async fn actor_for(&self, person: PersonId, via: Via) -> Result<Option<Actor>, AppError> {
        if person.0 == 0 {
            return Ok(Some(Actor::command_line()));
        }
        let found = self.db.read(move |conn| org::load_person(conn, person)).await?;
        let Some(person) = found.filter(|p| p.is_active) else { return Ok(None) };
        Ok(Some(Actor::new(ActorFacts {
            person_id: person.id,
            username: person.username,
            name: person.name,
            rights: self.rights(person.id).await?,
            via,
            ip: String::new(),
            request_id: store::format_id(store::new_id()),
            lang: Lang::Zh,
            must_change_password: false,
            acting_for: None,
        })))
    }

    /// A place among the exports that may go on at once (half as many as there are readers, at least one), held until
    /// dropped. `Busy` when none becomes free within three seconds.
    pub async fn export_place(&self) -> Result<OwnedSemaphorePermit, AppError> {
        let place = Arc::clone(&self.exports).acquire_owned();
        match tokio::time::timeout(EXPORT_PATIENCE, place).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(AppError::Busy(text!("现在同时进行的导出太多，请稍后再试"))),
        }
    }

    /// Notes which roles a request used, once it is answered. What is new is written in the background, at most once a
    /// minute.
    pub(crate) fn note_role_uses(&self, actor: &Actor) {
        let roles = actor.rights.take_used();
        if roles.is_empty() {
            return;
        }
        let (day, now) = (self.today().to_string(), self.now());
        if self.uses.note(actor.person_id, &roles, &day, now) {
            let app = self.clone();
            tokio::spawn(async move { app.write_role_uses().await });
        }
    }

    /// Writes down which roles were used, as far as that is not done yet; failing, it is tried again with the next
    /// batch.
    pub async fn write_role_uses(&self) {
        let (batch, day) = self.uses.take(self.now());
        if batch.is_empty() {
            return;
        }
        let (pairs, on) = (batch.clone(), day);
        let written = self.db.write(move |tx| org::write_uses(tx, &pairs, &on)).await;
        if let Err(error) = written {
            tracing::warn!(%error, "which roles were used could not be noted");
            self.uses.put_back(batch);
        }
    }

    /// Forgets who secrets belong to; call after changing people, their rights, sessions or
    /// tokens.
    pub fn forget_sessions(&self) {
        self.sessions.clear();
    }

    /// The company, `None` before set-up. Remembered: it is made once and its name changes rarely.
    pub async fn company(&self) -> Result<Option<Company>, AppError> {
        const BELIEVED: i64 = 5_000;
        let now = self.now();
        if let Some((company, at)) = &*self.company.lock().unwrap_or_else(PoisonError::into_inner)
            && (0..BELIEVED).contains(&(now - at))
        {
            return Ok(Some(company.clone()));
        }
        let found: Option<(String, bool)> =
            self.db.read(|conn| conn.row("SELECT name, is_demo FROM company WHERE id = 1", &[])).await?;
        let company = found.map(|(name, is_demo)| Company { name, is_demo });
        if let Some(company) = &company {
            *self.company.lock().unwrap_or_else(PoisonError::into_inner) = Some((company.clone(), now));
        }
        Ok(company)
    }

    /// Forgets the company's name.
    pub fn forget_company(&self) {
        *self.company.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Today in the company's zone.
    pub fn today(&self) -> jiff::civil::Date {
        self.zone.date(self.now())
    }

    /// Now, as the actions of the organisation take it.
    pub fn moment(&self) -> org::Moment {
        org::Moment::new(self.now(), &self.zone)
    }

    /// The menu for a person on a path.
    pub async fn menu(&self, actor: &Actor, path: &str) -> Result<Vec<MenuItem>, AppError> {
        let is_demo = self.company().await?.is_some_and(|company| company.is_demo);
        let (modules, now) = (self.hooks.modules, self.now());
        let modules = self.db.read(move |conn| modules(conn, now)).await?;
        Ok((self.hooks.menu)(actor, path, &modules, is_demo))
    }

    /// What the frame of a page shows to a person: how much waits for him, how many notices he has not read, and the
    /// modules of the company.
    pub async fn waiting(&self, actor: &Actor) -> Result<(i64, i64, Vec<Module>), AppError> {
        let hooks = self.hooks;
        let (actor, today, now) = (actor.clone(), self.today().to_string(), self.now());
        let counted = self.db.read(move |conn| {
            let todo = (hooks.todo_count)(conn, &actor, &today, now)?;
            Ok::<_, store::Error>((todo, (hooks.unread_notices)(conn, &actor)?, (hooks.modules)(conn, now)?))
        });
        Ok(counted.await?)
    }
}
