//! Customers: persons and organisations, the centre everything hangs on. Other features use the names listed here.

mod alike;
mod create;
mod create_many;
mod drift;
mod duplicates;
mod duplicates_api;
pub mod fields;
mod index;
mod list;
mod load;
pub mod marks;
mod marks_api;
mod model;
mod numbers;
mod recycle_api;
mod remove;
mod update;
mod withhold;
mod words;

pub mod api;
pub mod web;

pub use alike::{Alike, PARAMETERS};
pub use create::{create, number_taken, taken_numbers};
pub use create_many::{FirstContact, Prepared, create_many, prepare};
pub use drift::{Drift, drifted};
pub use duplicates::{COMPARED, Same, find_same};
pub use fields::{Applies, Field, FieldKind, Group, SPECS, Spec};
pub use index::{
    Keyed, find_by_keys, find_many_by_keys, has_hidden_by_key, key_of, rebuild_index, refresh_index, reindex,
};
pub use list::{
    CustomerPage, ListQuery, OFFERED_SORTS, Total, condition_of, counted_by, each, ids_of, list, narrow_sql,
    some,
};
pub use load::{COLUMNS, load, load_for, load_to_edit, read_row, require};
pub use marks::{Marks, marks_of, schemes_used};
pub use model::{CONTACT, Cleaned, Customer, Draft, Kind, against_id_number, clean};
pub use remove::{Deleted, Restored, deleted, remove, restore, take_back};
pub use update::{refresh_completeness, refresh_open_needs, touch_after_activity, update};
pub use withhold::{Teller, Withheld, mask, require_visible, shown, shown_value, withhold};
pub(crate) use words::{hanging_code, hanging_dictionary, hanging_title, is_hanging_internal};
