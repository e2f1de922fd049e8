//! Who may handle customer information at all (客户信息人员登记): with the company's switch on, nobody reaches any
//! customer before he is registered and has signed the confidentiality text in force, whatever his roles say.

use std::collections::HashMap;

use crate::i18n::Text;
use crate::ids::PersonId;
use crate::text;

/// What keeps a person from all customers, although his roles may reach some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// He is not in the register.
    NotRegistered,
    /// He is, but has not signed the text in force.
    NotSigned,
}

impl Bar {
    /// What he is told, and what to do.
    pub fn text(self) -> Text {
        match self {
            Self::NotRegistered => {
                text!("您还没有登记为客户信息人员，不能接触客户信息；请联系管理员登记")
            }
            Self::NotSigned => text!("请先签署现行的保密承诺，再使用客户信息"),
        }
    }
}

/// The register as decisions need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// Whether the company asks for it.
    pub is_on: bool,
    /// Whether administrators must sign as well. It bars them from customers, never from administration.
    pub with_administrators: bool,
    /// The registered people, each with whether he has signed the text in force.
    pub signed: HashMap<PersonId, bool>,
}

impl Register {
    /// What keeps a person from customers; `None` when nothing does.
    pub fn bar(&self, person: PersonId, is_administrator: bool) -> Option<Bar> {
        if !self.is_on || is_administrator && !self.with_administrators {
            return None;
        }
        match self.signed.get(&person) {
            None => Some(Bar::NotRegistered),
            Some(false) => Some(Bar::NotSigned),
            Some(true) => None,
        }
    }
}
