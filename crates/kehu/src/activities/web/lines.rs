//! Lines of a timeline in words.

use serde_json::Value as Json;

use super::super::list::Listed;
use super::super::timeline::{Line, Record};
use super::super::update::may_change;
use crate::access::Actor;
use crate::catalogue::Catalogue;
use crate::clock::Zone;
use crate::customers::Field;
use crate::files::File;
use crate::i18n::Lang;

/// One line as a template shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct LineView {
    pub(super) id: String,
    pub(super) icon: &'static str,
    pub(super) colour: &'static str,
    pub(super) title: String,
    /// Text and colour.
    pub(super) pills: Vec<(String, &'static str)>,
    pub(super) by: String,
    pub(super) time: String,
    pub(super) customer: String,
    pub(super) customer_href: String,
    pub(super) texts: Vec<String>,
    pub(super) files: Vec<File>,
    /// Id of the activity, empty for other lines.
    pub(super) activity: String,
    pub(super) may_change: bool,
    pub(super) is_need: bool,
    pub(super) is_open: bool,
}

/// What lines are put into words with.
pub(super) struct Words<'a> {
    pub(super) l: Lang,
    pub(super) zone: &'a Zone,
    pub(super) catalogue: &'a Catalogue,
    pub(super) actor: &'a Actor,
}

impl Words<'_> {
    /// Any line.
    pub(super) fn line(&self, line: Line) -> LineView {
        match line {
            Line::Activity(listed, files) => self.activity(*listed, files),
            Line::File(file) => LineView {
                id: file.id.to_string(),
                icon: "paperclip",
                title: self.l.t("添加附件").to_owned(),
                by: file.author.clone(),
                time: self.zone.minute(file.created_at),
                files: vec![file],
                ..LineView::default()
            },
            Line::Record(record) => self.record(&record),
        }
    }

    /// An activity.
    pub(super) fn activity(&self, listed: Listed, files: Vec<File>) -> LineView {
        let Listed { activity, customer, author, contact } = listed;
        let l = self.l;
        let mut pills = Vec::new();
        match activity.direction.as_str() {
            "in" => pills.push((l.t("对方来").to_owned(), "")),
            "out" => pills.push((l.t("我方去").to_owned(), "")),
            _ => {}
        }
        if !activity.result.is_empty() {
            let title = self.catalogue.dictionary("activity_result").title(&activity.result, l);
            let colour = if activity.result == "effective" { "green" } else { "" };
            pills.push((title.to_owned(), colour));
        }
        let is_need = activity.kind == super::ActivityKind::Need;
        if is_need {
            pills.push(match activity.is_open() {
                true => (l.t("未满足").to_owned(), "amber"),
                false => (l.t("已满足").to_owned(), "green"),
            });
        }
        let mut texts = Vec::new();
        // A subject made from the text itself is not said twice.
        if activity.body.is_empty() || !activity.body.starts_with(&activity.subject) {
            texts.push(activity.subject.clone());
        }
        texts.push(activity.body.clone());
        if !activity.source.is_empty() {
            let source = self.catalogue.dictionary("change_source").title(&activity.source, l);
            texts.push(l.f("信息来源：{}", &[&source]));
        }
        if !activity.effect.is_empty() {
            texts.push(l.f("影响：{}", &[&activity.effect]));
        }
        if !contact.is_empty() {
            texts.push(l.f("联系人：{}", &[&contact]));
        }
        texts.retain(|t| !t.is_empty());
        LineView {
            id: activity.id.to_string(),
            icon: activity.kind.icon(),
            colour: activity.kind.colour(),
            title: l.t(activity.kind.title()).to_owned(),
            pills,
            by: author,
            time: self.zone.minute(activity.happened_at),
            customer,
            customer_href: format!("/customers/{}?tab=timeline", activity.customer_id),
            texts,
            files,
            may_change: may_change(self.actor, &activity),
            is_need,
            is_open: activity.is_open(),
            activity: activity.id.to_string(),
        }
    }

    fn record(&self, record: &Record) -> LineView {
        let l = self.l;
        let (zh, icon) = match record.action.as_str() {
            "customer.created" => ("建档", "user-plus"),
            "customer.deleted" => ("移入回收站", "trash"),
            "customer.restored" => ("从回收站恢复", "arrow-back-up"),
            "contact.created" => ("新增联系人", "address-book"),
            "contact.updated" => ("修改联系人", "address-book"),
            "contact.deleted" => ("删除联系人", "address-book"),
            "contact.restored" => ("恢复联系人", "arrow-back-up"),
            "asset.created" => ("新增资产", "package"),
            "asset.updated" => ("修改资产", "package"),
            "asset.deleted" => ("删除资产", "package"),
            "asset.restored" => ("恢复资产", "arrow-back-up"),
            "file.deleted" => ("删除附件", "paperclip"),
            _ => ("修改资料", "edit"),
        };
        LineView {
            id: store::format_id(record.id),
            icon,
            title: l.t(zh).to_owned(),
            by: record.by.clone(),
            time: self.zone.minute(record.at),
            texts: self.changed(record),
            ..LineView::default()
        }
    }

    /// What a change was about: a name, or the titles of the changed fields.
    fn changed(&self, record: &Record) -> Vec<String> {
        let name = |values: &Json| values.get("name").and_then(Json::as_str).map(str::to_owned);
        if !record.action.ends_with(".updated") {
            return name(&record.after).or_else(|| name(&record.before)).into_iter().collect();
        }
        let Json::Object(after) = &record.after else { return Vec::new() };
        let titles: Vec<String> = after.keys().filter_map(|key| self.title(key)).collect();
        if titles.is_empty() { Vec::new() } else { vec![titles.join(self.l.t("、"))] }
    }

    fn title(&self, key: &str) -> Option<String> {
        if let Some(own) = key.strip_prefix("custom.") {
            let field = self.catalogue.custom_fields.iter().find(|f| f.key == own);
            return field.map(|f| f.title.clone());
        }
        let of_contact = crate::contacts::FIELDS.iter().map(|s| (s.key, s.zh));
        let of_assets =
            crate::assets::AssetKind::ALL.iter().flat_map(|kind| kind.fields().iter().map(|s| (s.key, s.zh)));
        let others =
            [("owner_id", "负责人"), ("tags", "标签"), ("is_primary", "主要联系人"), ("code", "编号")];
        let zh = Field::named(key).map(|f| f.spec().zh).or_else(|| {
            of_contact.chain(of_assets).chain(others).find(|(known, _)| *known == key).map(|(_, zh)| zh)
        });
        zh.map(|zh| self.l.t(zh).to_owned())
    }
}
