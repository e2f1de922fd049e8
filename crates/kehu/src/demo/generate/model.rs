//! What is made up: the company, its people, its customers and what hangs on them.

use jiff::civil::{Date, DateTime};
use serde::Serialize;

/// A group of companies, its people and its customers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemoCompany {
    pub name: &'static str,
    pub short_name: &'static str,
    pub people: Vec<DemoPerson>,
    pub customers: Vec<DemoCustomer>,
}

/// One of the group's own staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DemoPerson {
    /// The name in pinyin, lower case.
    pub username: &'static str,
    pub name: &'static str,
    pub title: &'static str,
}

/// Which business of the group a customer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BusinessLine {
    Property,
    Vehicles,
    Power,
    Retail,
    Manufacturing,
}

/// One customer. Codes are those of `data/dictionaries.toml`; what is `None` or empty was never asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemoCustomer {
    pub line: BusinessLine,
    /// `person` or `organisation`.
    pub kind: &'static str,
    pub name: String,
    pub short_name: Option<String>,
    /// Dictionary `customer_class`.
    pub class: Option<&'static str>,
    /// Dictionary `customer_level`.
    pub level: Option<&'static str>,
    /// Dictionary `enterprise_nature`; organisations only.
    pub nature: Option<&'static str>,
    /// 主管单位; organisations only.
    pub parent_organisation: Option<String>,
    /// Dictionary `industry`; organisations only.
    pub industry: Option<&'static str>,
    /// 统一社会信用代码; organisations only.
    pub credit_code: Option<String>,
    /// 身份证号; persons only.
    pub id_number: Option<String>,
    /// `male` or `female`; persons only, and then always the one in the ID number.
    pub gender: Option<&'static str>,
    /// Persons only, and then always the one in the ID number.
    pub birthday: Option<Date>,
    /// Eleven digits, or a landline with area code: `020-38123456`.
    pub phone: Option<String>,
    pub landline: Option<String>,
    pub fax: Option<String>,
    pub email: Option<String>,
    pub website: Option<String>,
    pub wechat: Option<String>,
    /// Canonical path of [`crate::regions`].
    pub region: Option<String>,
    /// Road, number and building, without the region.
    pub address: Option<String>,
    /// 信用状况, in words.
    pub credit_status: Option<&'static str>,
    /// Dictionary `source`.
    pub source: Option<&'static str>,
    /// 经营特点; organisations only.
    pub business_traits: Option<&'static str>,
    pub needs: Option<&'static str>,
    pub tags: Vec<&'static str>,
    pub remark: Option<&'static str>,
    /// Index into [`DemoCompany::people`]; `None` waits in the public pool.
    pub owner: Option<usize>,
    pub first_contact_on: Date,
    pub contacts: Vec<DemoContact>,
    pub assets: Vec<DemoAsset>,
    /// In the order they happened.
    pub activities: Vec<DemoActivity>,
    /// Index of the customer that this one repeats with small differences.
    pub near_duplicate_of: Option<usize>,
}

/// Somebody to talk to: one to four at an organisation, seldom one of the family of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DemoContact {
    pub name: String,
    pub title: Option<&'static str>,
    pub department: Option<&'static str>,
    /// Dictionary `contact_role`.
    pub role: &'static str,
    pub phone: String,
    pub email: Option<String>,
    /// True for exactly one of an organisation's contacts, the first.
    pub is_primary: bool,
    pub birthday: Option<Date>,
    pub remark: Option<&'static str>,
}

/// What a customer has that we sold, look after or supply.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DemoAsset {
    Vehicle { plate: String, vin: String, brand_model: &'static str, bought_on: Date },
    Room { community: &'static str, building: String, unit: String, room: String, area_m2: f64 },
    Meter { number: String, capacity_kva: u32 },
    Product { model: &'static str, serial: String, installed_on: Date, warranty_until: Date },
}

/// Something done with a customer, or learnt of him, in the two years before today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DemoActivity {
    /// `call`, `visit`, `letter`, `fax`, `email`, `sms`, `meeting`, `note`, `need`, `change_customer` or
    /// `change_relation`.
    pub kind: &'static str,
    pub subject: &'static str,
    pub body: String,
    /// `in` or `out`, for the kinds that have a direction.
    pub direction: Option<&'static str>,
    /// Dictionary `activity_result`; notes, needs and changes have none.
    pub result: Option<&'static str>,
    pub happened_at: DateTime,
    /// Index into the customer's contacts.
    pub contact: Option<usize>,
    /// Index into [`DemoCompany::people`].
    pub by: usize,
}
