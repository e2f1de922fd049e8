//! Ids as types, so that a contact's id cannot be handed where a customer's is wanted. In the database they are
//! integers, at every face 13 Crockford base-32 characters; they are addresses, never secrets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use store::{FromColumn, IdError, Value};

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl $name {
            /// A new id, later than every one before.
            #[expect(clippy::new_without_default, reason = "a new id is an act, not a default")]
            pub fn new() -> Self { Self(store::new_id()) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&store::format_id(self.0)) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { store::parse_id(text).map(Self) }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
        impl From<$name> for Value<'_> {
            fn from(id: $name) -> Self { Value::Int(id.0) }
        }
        impl FromColumn for $name {
            fn sqlite(value: store::SqliteValue<'_>, i: usize) -> store::Result<Self> { i64::sqlite(value, i).map(Self) }
            fn postgres(row: &store::PostgresRow, i: usize) -> store::Result<Self> { i64::postgres(row, i).map(Self) }
        }
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> { schema() }
        }
        impl utoipa::ToSchema for $name {}
    )*};
}

id_types! {
    /// A person of the company who signs in.
    PersonId,
    /// A customer.
    CustomerId,
    /// A contact of a customer.
    ContactId,
    /// An asset of a customer.
    AssetId,
    /// An activity.
    ActivityId,
    /// A report to somebody's superior.
    BriefingId,
    /// A stored file.
    FileId,
    /// An import.
    ImportId,
    /// A background job.
    JobId,
    /// A session of a person.
    SessionId,
    /// An API token.
    TokenId,
    /// An entry of a dictionary.
    EntryId,
    /// A field the company defined.
    CustomFieldId,
    /// A saved view of a list.
    ViewId,
    /// A service strategy of a group of customers.
    StrategyId,
    /// A unit of the organisation.
    UnitId,
    /// A post somebody holds.
    PositionId,
    /// A role.
    RoleId,
    /// A delegation.
    DelegationId,
    /// A duty roster.
    RosterId,
    /// A shift on a roster.
    ShiftId,
    /// Somebody asks a colleague to take a shift.
    SwapId,
    /// An absence.
    AbsenceId,
    /// A grant on one customer.
    GrantId,
    /// A process of the company and who answers for it.
    ProcessId,
    /// A task somebody gave.
    AssignmentId,
    /// An entry of the register of those who handle customer information.
    HandlerId,
    /// A row of the audit log.
    AuditId,
    /// A backup.
    BackupId,
    /// A version of a policy.
    PolicyVersionId,
    /// A case.
    CaseId,
    /// Something that was done to a case.
    DeedId,
    /// Something of a case that waits for somebody.
    CaseTaskId,
    /// Something a person was told.
    NoticeId,
    /// A penalty.
    PenaltyId,
    /// Something that was printed.
    PrintId,
    /// A report that was made.
    ReportId,
    /// An exemption.
    ExemptionId,
    /// Something a clause refused.
    RefusalId,
    /// What somebody owes in a period.
    DutyId,
    /// A period of a duty.
    RoundId,
    /// People who do a duty together.
    TeamId,
    /// A mail to be sent.
    MailId,
}

fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[0-7][0-9A-HJKMNP-TV-Z]{12}$"))
        .examples([serde_json::json!("01M2Z8Q4T7V0K")])
        .into()
}
