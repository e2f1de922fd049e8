//! What rights are about: kinds of things and what can be done with them. The matrix of a role has a row for each
//! object and a cell for each of its verbs.

/// A kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    /// A customer (客户).
    Customer,
    /// Its contacts (联系人).
    Contact,
    /// Its vehicles, rooms, meters, products (资产).
    Asset,
    /// Dealings with it (跟进记录).
    Activity,
    /// Its attachments (附件).
    File,
    /// How groups of customers are served (服务策略).
    Strategy,
    /// Units, posts, people, rosters (组织与人员).
    Organisation,
    /// Roles and who has them (角色与授权).
    Role,
    /// Dictionaries, fields, settings (字典与字段).
    Catalogue,
    /// The audit log and the log-ins (日志).
    Audit,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// See it: page, list, search, API.
    Read,
    /// Make a new one.
    Create,
    /// Change it; for what hangs on a customer also add and take away.
    Update,
    /// Take it away (it can be brought back).
    Delete,
    /// Give it to another owner or unit.
    Assign,
    /// Let a colleague work on it.
    Share,
    /// Take it out of the system as a file.
    Export,
    /// Bring many in from a file.
    Import,
}

impl Object {
    /// Every object, in the order of the matrix.
    pub const ALL: [Self; 10] = [
        Self::Customer,
        Self::Contact,
        Self::Asset,
        Self::Activity,
        Self::File,
        Self::Strategy,
        Self::Organisation,
        Self::Role,
        Self::Catalogue,
        Self::Audit,
    ];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Contact => "contact",
            Self::Asset => "asset",
            Self::Activity => "activity",
            Self::File => "file",
            Self::Strategy => "strategy",
            Self::Organisation => "organisation",
            Self::Role => "role",
            Self::Catalogue => "catalogue",
            Self::Audit => "audit",
        }
    }

    /// The object of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Customer => "客户",
            Self::Contact => "联系人",
            Self::Asset => "资产",
            Self::Activity => "跟进记录",
            Self::File => "附件",
            Self::Strategy => "服务策略",
            Self::Organisation => "组织与人员",
            Self::Role => "角色与授权",
            Self::Catalogue => "字典与字段",
            Self::Audit => "日志",
        }
    }

    /// What can be done with it, in the order of the matrix.
    pub fn verbs(self) -> &'static [Verb] {
        use Verb::{Assign, Create, Delete, Export, Import, Read, Share, Update};
        match self {
            Self::Customer => &[Read, Create, Update, Delete, Assign, Share, Export, Import],
            Self::Contact | Self::Asset | Self::Activity | Self::File => &[Read, Update],
            // Everybody reads these; colleagues' names are never hidden.
            Self::Strategy | Self::Organisation | Self::Role | Self::Catalogue => &[Update],
            Self::Audit => &[Read],
        }
    }

    /// Whether it belongs to a customer, whose owner and unit decide.
    pub fn hangs_on_customer(self) -> bool {
        matches!(self, Self::Contact | Self::Asset | Self::Activity | Self::File)
    }

    /// Whether it is customer information: a customer, or what hangs on one.
    pub fn is_about_customers(self) -> bool {
        self == Self::Customer || self.hangs_on_customer()
    }

    /// Whether a right to do `verb` reaches only some of them; else one has the right or not.
    pub fn is_scoped(self, verb: Verb) -> bool {
        self.is_about_customers() && verb != Verb::Import
    }
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Assign,
        Self::Share,
        Self::Export,
        Self::Import,
    ];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Assign => "assign",
            Self::Share => "share",
            Self::Export => "export",
            Self::Import => "import",
        }
    }

    /// The verb of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Read => "查看",
            Self::Create => "新建",
            Self::Update => "修改",
            Self::Delete => "删除",
            Self::Assign => "转移",
            Self::Share => "共享",
            Self::Export => "导出",
            Self::Import => "导入",
        }
    }
}
