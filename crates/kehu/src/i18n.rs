//! Two languages. Chinese is the source: code and templates carry the Chinese text itself, `locales/en/*.toml` hold
//! its English, a file a feature. A test finds every text without English.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// The language of a face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Simplified Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

const FILES: [&str; 25] = [
    include_str!("../locales/en/ground.toml"),
    include_str!("../locales/en/customers.toml"),
    include_str!("../locales/en/hanging.toml"),
    include_str!("../locales/en/imports.toml"),
    include_str!("../locales/en/account.toml"),
    include_str!("../locales/en/admin.toml"),
    include_str!("../locales/en/search.toml"),
    include_str!("../locales/en/shell.toml"),
    include_str!("../locales/en/strategies.toml"),
    include_str!("../locales/en/expr.toml"),
    include_str!("../locales/en/rights.toml"),
    include_str!("../locales/en/organisation.toml"),
    include_str!("../locales/en/regulations.toml"),
    include_str!("../locales/en/rosters.toml"),
    include_str!("../locales/en/maintenance.toml"),
    include_str!("../locales/en/assignments.toml"),
    include_str!("../locales/en/confidentiality.toml"),
    include_str!("../locales/en/policies.toml"),
    include_str!("../locales/en/duties.toml"),
    include_str!("../locales/en/mail.toml"),
    include_str!("../locales/en/cases.toml"),
    include_str!("../locales/en/penalties.toml"),
    include_str!("../locales/en/reports.toml"),
    include_str!("../locales/en/briefings.toml"),
    include_str!("../locales/en/calendar.toml"),
];

static ENGLISH: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let tables = FILES.iter().filter_map(|text| toml::from_str::<HashMap<String, String>>(text).ok());
    tables.flatten().collect()
});

impl Lang {
    /// The language named by a cookie or setting; anything unknown is Chinese.
    pub fn named(name: &str) -> Self {
        if name == "en" { Self::En } else { Self::Zh }
    }

    /// `zh` or `en`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// For `<html lang>`.
    pub fn html(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The text in this language; Chinese where there is no English.
    pub fn t(self, zh: &str) -> &str {
        match self {
            Self::Zh => zh,
            Self::En => ENGLISH.get(zh).map_or(zh, |en| en.as_str()),
        }
    }

    /// `t` with each `{}` replaced by the next argument.
    pub fn f(self, zh: &str, arguments: &[&dyn fmt::Display]) -> String {
        fill(self.t(zh), arguments.iter().map(|a| a.to_string()))
    }

    /// One of two texts a record carries itself.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        if self == Self::En && !en.is_empty() { en } else { zh }
    }
}

fn fill(pattern: &str, arguments: impl Iterator<Item = String>) -> String {
    let mut parts = pattern.split("{}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut arguments = arguments;
    for part in parts {
        text.push_str(&arguments.next().unwrap_or_default());
        text.push_str(part);
    }
    text
}

/// A whole number as pages show it, with thousands: `12,345`. Anything but digits stays as it is (`1,000+`).
pub fn grouped(n: impl fmt::Display) -> String {
    let shown = n.to_string();
    let digits = shown.strip_prefix('-').unwrap_or(&shown);
    if digits.len() < 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return shown;
    }
    let mut text = shown[..shown.len() - digits.len()].to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A message for a person, made where the fact is known and put into words where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// A source text with `{}` places and what goes into them.
    Template(Cow<'static, str>, Vec<Argument>),
    /// Both languages already in words (from the libraries' checks).
    Both(String, String),
}

impl Text {
    /// The words in a language.
    pub fn to(&self, lang: Lang) -> String {
        match self {
            Self::Template(zh, arguments) => fill(lang.t(zh), arguments.iter().map(|a| a.to(lang))),
            Self::Both(zh, en) => lang.pick(zh, en).to_owned(),
        }
    }
}

impl From<&'static str> for Text {
    fn from(zh: &'static str) -> Self {
        Self::Template(Cow::Borrowed(zh), Vec::new())
    }
}
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to(Lang::Zh))
    }
}

/// What goes into a place of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A value as it is: a number, a name, what somebody typed.
    Value(String),
    /// Words of ours, in the language of the message.
    Words(Text),
}

impl Argument {
    fn to(&self, lang: Lang) -> String {
        match self {
            Self::Value(value) => value.clone(),
            Self::Words(text) => text.to(lang),
        }
    }
}

/// Words of ours as an argument of `text!`: the title of a field, a kind, another message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(Text);

/// `text!("请填写{}", word(spec.zh))`: the argument is translated with the message. Values of users go in as they are.
pub fn word(text: impl Into<Text>) -> Word {
    Word(text.into())
}

impl From<&Word> for Argument {
    fn from(word: &Word) -> Self {
        Self::Words(word.0.clone())
    }
}

// `Word` is not `Display`, so that it never becomes a value by mistake.
impl<T: fmt::Display> From<&T> for Argument {
    fn from(value: &T) -> Self {
        Self::Value(value.to_string())
    }
}

/// `text!("最多 {} 个字", 100)`: a message with arguments.
#[macro_export]
macro_rules! text {
    ($zh:literal $(, $argument:expr)* $(,)?) => {
        $crate::i18n::Text::Template(
            std::borrow::Cow::Borrowed($zh),
            vec![$($crate::i18n::Argument::from(&$argument)),*],
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_file_is_valid_and_arguments_are_filled_in_order() {
        for file in FILES {
            let table: HashMap<String, String> = toml::from_str(file).unwrap();
            for (zh, en) in &table {
                assert_eq!(zh.matches("{}").count(), en.matches("{}").count(), "{zh}");
            }
        }
        assert_eq!(text!("最多 {} 个字，现在 {} 个", 5, 7).to(Lang::Zh), "最多 5 个字，现在 7 个");
        assert_eq!(Lang::En.t("没有这个词的翻译"), "没有这个词的翻译");
    }

    #[test]
    fn words_of_ours_inside_a_message_are_translated_and_values_are_not() {
        let text = text!("请填写{}", word("客户名称"));
        assert_eq!(text.to(Lang::Zh), "请填写客户名称");
        assert_eq!(text.to(Lang::En), "Please fill in: Customer name");
        assert_eq!(text!("请填写{}", "客户名称").to(Lang::En), "Please fill in: 客户名称");
    }

    /// Files are read one after the other and the last one wins: a key with two translations shows the one nobody
    /// expects. What means two things in English needs two source texts.
    #[test]
    fn no_text_has_two_translations() {
        let mut known: HashMap<String, String> = HashMap::new();
        let mut twice = std::collections::BTreeMap::new();
        for file in FILES {
            for (zh, en) in toml::from_str::<HashMap<String, String>>(file).unwrap() {
                if let Some(other) = known.insert(zh.clone(), en.clone()).filter(|other| *other != en) {
                    twice.insert(zh, (other, en));
                }
            }
        }
        assert!(twice.is_empty(), "{twice:#?}");
    }

    #[test]
    fn numbers_are_shown_with_thousands() {
        for (n, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-12_345, "-12,345"),
            (999_999, "999,999"),
            (1_000_000, "1,000,000"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!(grouped(n), shown);
        }
        assert_eq!((grouped("10000+"), grouped("")), ("10000+".into(), String::new()));
    }

    /// Calls `look` with the path and the words of every source and template, but for this one.
    fn each_source(mut look: impl FnMut(&str, &str)) {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.join("src"), root.join("templates")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("i18n.rs") {
                    look(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap_or_default());
                }
            }
        }
    }

    /// Every `l.t("…")`, `l.f("…")` and `text!("…")` in the sources has its English, on whichever line it begins.
    #[test]
    fn every_text_has_english() {
        let mut missing = std::collections::BTreeSet::new();
        each_source(|_, source| {
            for opening in [".t(", ".f(", "text!(", "Text::from("] {
                for part in source.split(opening).skip(1) {
                    let Some(literal) = part.trim_start().strip_prefix('"') else { continue };
                    let zh = literal.split('"').next().unwrap_or_default();
                    if zh.chars().any(|c| c > '\u{2e7f}') && Lang::En.t(zh) == zh {
                        missing.insert(zh.to_owned());
                    }
                }
            }
        });
        assert!(missing.is_empty(), "locales/en lacks: {missing:#?}");
    }

    /// A title of ours goes into a message as `word(…)`: as a value it would stay Chinese in an English sentence.
    #[test]
    fn titles_inside_messages_are_translated_with_them() {
        let mut bare = Vec::new();
        each_source(|path, source| {
            for part in source.split("text!(").skip(1) {
                let mut open = 1;
                let end = part.find(|c| {
                    open += i32::from(c == '(') - i32::from(c == ')');
                    open == 0
                });
                let arguments = part[..end.unwrap_or(0)].rsplit('"').next().unwrap_or_default();
                for argument in arguments.split(',') {
                    let is_title = argument.contains(".title()") || argument.contains(".zh");
                    if is_title && !argument.contains("word(") {
                        bare.push(format!("{path}: {}", argument.trim()));
                    }
                }
            }
        });
        assert!(bare.is_empty(), "{bare:#?}");
    }
}
