//! Entries of the register, published texts, and the text a company may begin with.

use crate::clock::Millis;
use crate::ids::{HandlerId, PersonId, UnitId};

/// People registered in one go at the most.
pub const MOST_AT_ONCE: usize = 2_000;

/// A text as it was published; it never changes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Counts from 1; the largest is in force.
    pub version: i64,
    /// Its title.
    pub title: String,
    /// Its words, paragraphs apart by line ends.
    pub body: String,
    /// When.
    pub published_at: Millis,
    /// By whom, by name.
    pub published_by: String,
    /// How many people signed it.
    pub signatures: i64,
}

impl store::FromRow for Published {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        Ok(Self {
            version: row.get(0)?,
            title: row.get(1)?,
            body: row.get(2)?,
            published_at: row.get(3)?,
            published_by: row.get(4)?,
            signatures: row.get(5)?,
        })
    }
}

/// How far somebody has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Registered, and the text in force is signed.
    Signed,
    /// Registered; the text in force waits for his signature.
    Waiting,
    /// Not in the register any more.
    Ended,
}

impl State {
    /// The name in addresses.
    pub fn code(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
        }
    }

    /// The state of a name.
    pub fn named(code: &str) -> Option<Self> {
        [Self::Signed, Self::Waiting, Self::Ended].into_iter().find(|state| state.code() == code)
    }
}

/// One line of the register.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: HandlerId,
    /// Who.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// Whether he may sign in.
    pub is_active: bool,
    /// What for.
    pub note: String,
    /// Since when.
    pub registered_at: Millis,
    /// By whom, by name.
    pub registered_by: String,
    /// Until when; `None` while he is in the register.
    pub ended_at: Option<Millis>,
    /// Who took him out, by name.
    pub ended_by: String,
    /// The newest version he signed; 0 for none.
    pub signed_version: i64,
    /// When.
    pub signed_at: Option<Millis>,
}

impl store::FromRow for Entry {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            person_id: row.get(1)?,
            person: row.get(2)?,
            is_active: row.get(3)?,
            note: row.get(4)?,
            registered_at: row.get(5)?,
            registered_by: row.get(6)?,
            ended_at: row.get(7)?,
            ended_by: row.get(8)?,
            signed_version: row.get(9)?,
            signed_at: row.get(10)?,
        })
    }
}

impl Entry {
    /// How far he has come, while a version is in force.
    pub fn state(&self, in_force: i64) -> State {
        match self.ended_at {
            Some(_) => State::Ended,
            None if in_force > 0 && self.signed_version == in_force => State::Signed,
            None => State::Waiting,
        }
    }
}

/// Which lines are asked for.
#[derive(Clone, Debug, Default)]
pub struct RegisterQuery {
    /// A part of the name, its pinyin or the sign-in name.
    pub q: String,
    /// Of people who work in one of these units now; empty for everybody.
    pub units: Vec<UnitId>,
    /// How far they have come; without it everybody who is in the register now.
    pub state: Option<State>,
    /// Entries older than this one.
    pub after: Option<HandlerId>,
}

/// What a company may begin with: plain words of the duties that the usual regulations name. Administrators edit it
/// before it is published; it is no legal advice.
pub const SAMPLE: &str = "一、本人因工作接触公司的客户信息，承诺只在完成本职工作所必需的范围内使用。\n\
二、不向任何无关人员（包括公司内无关的同事）透露、复制、转发客户的姓名、联系方式、证件、交易和往来情况。\n\
三、不把客户信息带出公司或存入个人的设备、网盘和聊天工具；确需带出或对外提供的，事先按公司制度取得批准。\n\
四、用户名和密码只由本人使用，离开座位时退出或锁定；发现信息泄露或账号异常，立即报告管理员。\n\
五、不分散保管客户档案，不据为己有；调离岗位或离职时如数交还，并继续保守秘密。\n\
六、违反本承诺的，愿意按公司的保密制度和国家法律承担责任。";
