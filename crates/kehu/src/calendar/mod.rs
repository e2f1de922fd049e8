//! 工作日历: which days the company works. The mainland's holidays are built in (`workday`); here stand the days that
//! administrators mark as 放假 or 上班 on top of them, and the years whose arrangement they have entered themselves.
//!
//! Whatever counts working days asks [`crate::app::App::calendar`]. A change holds for what is reckoned from then on: a due
//! time that was stored before stays what it is.

mod load;
mod model;
mod save;

pub mod api;
pub mod web;

pub use load::{between, day, marks, version};
pub use model::{
    FIRST, Kind, LAST, Line, MOST_LINES, Mark, Marked, Marks, clean_name, lines, missing_year,
    parse_arrangement, source,
};
pub use save::{MOST, mark, put, remove, set_year, unmark};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Db;
use workday::Calendar;

use crate::clock::Millis;
use crate::error::AppError;
use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}

/// The shared calendar, looked at again when older than two seconds or after a change in this process, and built anew,
/// which takes milliseconds, only when a mark has changed.
#[derive(Default)]
pub struct CalendarCache {
    held: Mutex<Option<Held>>,
}

struct Held {
    calendar: Arc<Calendar>,
    marks: Marks,
    at: Millis,
}

/// How long a calendar is believed: changes made through another server show after this, in milliseconds.
const BELIEVED: i64 = 2_000;

impl CalendarCache {
    /// The calendar.
    pub async fn get(&self, db: &Db, now: Millis) -> Result<Arc<Calendar>, AppError> {
        if let Some(held) = &*self.lock()
            && (0..BELIEVED).contains(&(now - held.at))
        {
            return Ok(Arc::clone(&held.calendar));
        }
        let marks = db.read(marks).await?;
        let mut held = self.lock();
        let calendar = match held.take() {
            Some(old) if old.marks == marks => old.calendar,
            _ => Arc::new(marks.calendar()),
        };
        *held = Some(Held { calendar: Arc::clone(&calendar), marks, at: now });
        Ok(calendar)
    }

    /// Forgets it; call after every change.
    pub fn clear(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
