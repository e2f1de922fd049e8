//! A role: permissions (object × verb), each with its data scope, and rules for single fields. Roles inherit nothing;
//! a person's right is the union of the roles of his posts and of those he has himself.

use std::collections::BTreeMap;

use super::objects::{Object, Verb};
use crate::ids::{RoleId, UnitId};

/// Which customers a permission reaches (数据范围). "His unit" is the unit of the post that brings the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every customer (全部).
    All,
    /// Those of these units (自定义部门).
    Units(Vec<UnitId>),
    /// Those of his unit and the units below it (本部门及以下).
    UnitTree,
    /// Those of his unit (本部门).
    Unit,
    /// His own and those of his subordinates (本人及下属).
    Team,
    /// Those he owns (本人).
    Own,
    /// Those that fulfil a condition in CEL (按条件).
    Condition(String),
}

impl Scope {
    /// The names stored and sent, widest first.
    pub const CODES: [&'static str; 7] = ["all", "units", "unit_tree", "unit", "team", "own", "condition"];

    /// The name stored and sent.
    pub fn code(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Units(_) => "units",
            Self::UnitTree => "unit_tree",
            Self::Unit => "unit",
            Self::Team => "team",
            Self::Own => "own",
            Self::Condition(_) => "condition",
        }
    }

    /// The scope of a stored name with what belongs to it.
    pub fn read(code: &str, units: Vec<UnitId>, condition: String) -> Option<Self> {
        Some(match code {
            "all" => Self::All,
            "units" => Self::Units(units),
            "unit_tree" => Self::UnitTree,
            "unit" => Self::Unit,
            "team" => Self::Team,
            "own" => Self::Own,
            "condition" => Self::Condition(condition),
            _ => return None,
        })
    }

    /// The name people read (source text) of a code.
    pub fn title_of(code: &str) -> &'static str {
        match code {
            "all" => "全部",
            "units" => "自定义部门",
            "unit_tree" => "本部门及以下",
            "unit" => "本部门",
            "team" => "本人及下属",
            "own" => "本人",
            "condition" => "按条件",
            _ => "无",
        }
    }

    /// The name people read (source text).
    pub fn title(&self) -> &'static str {
        Self::title_of(self.code())
    }
}

/// What a role lets a person do with one field of what he may see. Ordered: of several roles the largest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldRule {
    /// It is not there.
    Hidden,
    /// A part of it is shown (138****5678).
    Masked,
    /// It is shown.
    Read,
    /// It may be changed by whoever may change the record.
    Edit,
}

impl FieldRule {
    /// Every rule, the narrowest first.
    pub const ALL: [Self; 4] = [Self::Hidden, Self::Masked, Self::Read, Self::Edit];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Masked => "masked",
            Self::Read => "read",
            Self::Edit => "edit",
        }
    }

    /// The rule of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Hidden => "隐藏",
            Self::Masked => "脱敏",
            Self::Read => "只读",
            Self::Edit => "可编辑",
        }
    }
}

/// A role as defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its short name for programs.
    pub code: String,
    /// The name people read.
    pub name: String,
    /// What it is for.
    pub note: String,
    /// Whether it is a bundle: what a collaborator gets on one customer. Its scopes have no meaning.
    pub is_bundle: bool,
    /// Whether it comes with the program: it cannot be deleted, and the administrator's cannot be changed.
    pub is_builtin: bool,
    /// Permissions with their scopes.
    pub grants: BTreeMap<(Object, Verb), Scope>,
    /// Rules for fields, by object and field; without one a field may be edited.
    pub fields: BTreeMap<(Object, String), FieldRule>,
    /// Counts changes.
    pub version: i64,
}

/// Code of the role that may do everything.
pub const ADMINISTRATOR: &str = "administrator";
/// Id of the role that may do everything.
pub const ADMINISTRATOR_ID: RoleId = RoleId(1);
/// Id of the role of staff who work with their own customers.
pub const STAFF_ID: RoleId = RoleId(2);
/// Id of the role of staff who work with every customer.
pub const STAFF_ALL_ID: RoleId = RoleId(3);

impl Role {
    /// Whether whoever has it may do everything.
    pub fn is_administrator(&self) -> bool {
        self.id == ADMINISTRATOR_ID
    }

    /// The rule for a field.
    pub fn field(&self, object: Object, field: &str) -> FieldRule {
        // A look-up by `(Object, &str)` would need an owned key; roles have few rules.
        if self.fields.is_empty() {
            return FieldRule::Edit;
        }
        self.fields.get(&(object, field.to_owned())).copied().unwrap_or(FieldRule::Edit)
    }
}
