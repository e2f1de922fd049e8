//! Administrative divisions of China down to the county (GB/T 2260): understands the ways people write a region and
//! gives the one way we store it, `广东省/广州市/天河区`. Streets and addresses are left to the caller.
//!
//! A district of a direct municipality and a county governed by its province stand in the second part
//! (`北京市/朝阳区`, `湖北省/仙桃市`); a path therefore has one to three parts.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Serialize;

use crate::i18n::Text;
use crate::text;

/// Longest text that [`resolve`] looks at, in characters; no division's full name comes near it.
const LONGEST_TEXT: usize = 64;
/// Longest name of a division, in characters (双江拉祜族佤族布朗族傣族自治县 has 15).
const LONGEST_NAME: usize = 16;
/// How many proposals an [`Unknown`] carries at most.
const MOST_SUGGESTIONS: usize = 5;

/// One division. All of them live as long as the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Region {
    /// Six digits of GB/T 2260; empty where the standard has none (inside 台湾, 香港, 澳门).
    pub code: &'static str,
    /// Full name without its parents: `天河区`.
    pub name: &'static str,
    /// Canonical path, as stored: `广东省/广州市/天河区`.
    pub path: &'static str,
    pub rank: Rank,
}

impl Region {
    /// Whether it is a province that is one city: a direct municipality, 香港 or 澳门.
    fn is_city_province(&self) -> bool {
        self.rank == Rank::Province && (self.name.ends_with('市') || self.name.ends_with("特别行政区"))
    }
}

/// What kind of division it is. Not the number of parts in the path: 北京市/朝阳区 is a county in the second part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    Province,
    Prefecture,
    County,
}

/// A text that names no division, or more than one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub text: String,
    /// Canonical paths the writer may have meant, best first, at most five, possibly none.
    pub suggestions: Vec<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl Unknown {
    /// What to say of it.
    pub fn text(&self) -> Text {
        let shown: String = self.text.chars().take(20).collect();
        if self.suggestions.is_empty() {
            text!("无法识别地区“{}”，请写出省、市、区县，例如：广东省/广州市/天河区", shown)
        } else {
            text!("无法确定地区“{}”，请选择其中之一：{}", shown, self.suggestions.join("、"))
        }
    }
}

impl std::error::Error for Unknown {}

/// Finds the one division meant by `text`.
///
/// Reads full and short names, with or without separators and with levels left out: `广东省/广州市/天河区`, `广东广州`,
/// `广州`, `内蒙古`, `北京朝阳`, `北京市市辖区朝阳区`, a former ending below a known parent (`广州市从化市`), or a six-digit
/// code. Where a province or prefecture shares its short name with something smaller, the larger one is meant (`吉林`,
/// `长沙`) — except beside a district of a direct municipality, which is as prominent (`朝阳`): such names are refused.
pub fn resolve(text: &str) -> Result<&'static Region, Unknown> {
    let table = &*TABLE;
    let text = text.trim();
    if let Some(region) = find(text).or_else(|| by_code(text)) {
        return Ok(region);
    }
    let Some(plain) = normalise(text) else {
        return Err(Unknown { text: text.chars().take(LONGEST_TEXT).collect(), suggestions: Vec::new() });
    };
    let mut reading = Reading::default();
    table.read(&plain, None, 0, 0, &mut reading);
    match table.choose(&reading.complete) {
        Choice::One(index) => Ok(&table.regions[index]),
        Choice::Several(indexes) => Err(Unknown {
            text: text.to_owned(),
            suggestions: indexes
                .iter()
                .take(MOST_SUGGESTIONS)
                .map(|&i| table.regions[i].path.to_owned())
                .collect(),
        }),
        Choice::None => Err(Unknown { text: text.to_owned(), suggestions: table.suggest(&plain, &reading) }),
    }
}

/// The division with exactly this canonical path.
pub fn find(path: &str) -> Option<&'static Region> {
    TABLE.by_path.get(path).map(|&index| &TABLE.regions[index])
}

/// The division with this six-digit code of today.
pub fn by_code(code: &str) -> Option<&'static Region> {
    TABLE.by_code.get(code).map(|&index| &TABLE.regions[index])
}

/// Where an ID card was first issued, from the first six digits of its number (residence permits of people from
/// 香港, 澳门 and 台湾 included). Codes no longer in force lead to the division of today that took their name, else to
/// the prefecture or province. `None` when not even the province exists. The rest of the number is not looked at.
pub fn from_id_card(number: &str) -> Option<&'static Region> {
    let code = number.get(..6).filter(|code| code.bytes().all(|b| b.is_ascii_digit()))?;
    let former = || TABLE.former.get(code).and_then(|now| by_code(now));
    let prefecture = || by_code(&format!("{}00", &code[..4]));
    let province = || match &code[..2] {
        "83" => by_code("710000"),
        digits => by_code(&format!("{digits}0000")),
    };
    by_code(code).or_else(former).or_else(prefecture).or_else(province)
}

/// The divisions directly below a canonical path, in the order of their codes; for `""` the provinces, for a county
/// or an unknown path none.
pub fn children(path: &str) -> impl Iterator<Item = &'static Region> + use<> {
    let table = &*TABLE;
    let below: &'static [usize] = match table.by_path.get(path) {
        _ if path.is_empty() => &table.provinces,
        Some(&index) => &table.children[index],
        None => &[],
    };
    below.iter().map(|&index| &table.regions[index])
}

/// The first part of a canonical path: `广东省` of `广东省/广州市`.
pub fn province(path: &str) -> &str {
    path.split_once('/').map_or(path, |(first, _)| first)
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::load);

struct Table {
    regions: Vec<Region>,
    /// The chain above each region, nearest last: none for a province, two for a county in a prefecture.
    ancestors: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    provinces: Vec<usize>,
    by_path: HashMap<&'static str, usize>,
    by_code: HashMap<&'static str, usize>,
    by_name: HashMap<String, Vec<Named>>,
    former: HashMap<&'static str, &'static str>,
}

/// One way to write a region's name.
#[derive(Clone, Copy)]
struct Named {
    region: usize,
    spelling: Spelling,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spelling {
    /// `天河区`
    Full,
    /// `天河`, `石柱县` for 石柱土家族自治县
    Short,
    /// A former or careless ending, `从化市`: understood only below a parent that is already known.
    Loose,
}

#[derive(Default)]
struct Reading {
    /// Regions at which the whole text was used up, each with the sum of its spellings.
    complete: Vec<(usize, u32)>,
    /// The region that used up most of a text that could not be read to its end, and how many characters.
    furthest: Option<(usize, usize)>,
}

enum Choice {
    One(usize),
    Several(Vec<usize>),
    None,
}

impl Table {
    fn load() -> Self {
        let lines = || data_lines(include_str!("../data/regions.tsv"));
        let mut table = Table {
            regions: Vec::with_capacity(4_000),
            ancestors: Vec::with_capacity(4_000),
            children: Vec::with_capacity(4_000),
            provinces: Vec::new(),
            by_path: HashMap::with_capacity(4_000),
            by_code: HashMap::with_capacity(4_000),
            by_name: HashMap::with_capacity(12_000),
            former: HashMap::with_capacity(4_000),
        };
        let mut chain: Vec<usize> = Vec::new();
        for line in lines() {
            let mut cells = line.split('\t');
            let (Some(code), Some(name), Some(depth), Some(rank)) =
                (cells.next(), cells.next(), cells.next(), cells.next())
            else {
                continue;
            };
            let rank = match rank {
                "p" => Rank::Province,
                "c" => Rank::Prefecture,
                _ => Rank::County,
            };
            chain.truncate(depth.parse::<usize>().unwrap_or(1).saturating_sub(1));
            let index = table.regions.len();
            let path = match chain.last() {
                Some(&parent) => format!("{}/{name}", table.regions[parent].path),
                None => name.to_owned(),
            };
            match chain.last() {
                Some(&parent) => table.children[parent].push(index),
                None => table.provinces.push(index),
            }
            // Leaked on purpose: built once, needed until the program ends.
            let path: &'static str = Box::leak(path.into_boxed_str());
            table.by_path.insert(path, index);
            table.regions.push(Region { code, name, path, rank });
            table.ancestors.push(chain.clone());
            table.children.push(Vec::new());
            if !code.is_empty() {
                table.by_code.insert(code, index);
            }
            for (spelled, spelling) in spellings(name, rank) {
                table.by_name.entry(spelled).or_default().push(Named { region: index, spelling });
            }
            chain.push(index);
        }
        table.former = data_lines(include_str!("../data/regions_former.tsv"))
            .filter_map(|line| line.split_once('\t'))
            .collect();
        table
    }

    /// Reads names off the front of `rest`, each below the one before, and notes where the text ends.
    fn read(&self, rest: &[char], above: Option<usize>, used: usize, cost: u32, reading: &mut Reading) {
        if let (Some(region), true) = (above, rest.is_empty()) {
            match reading.complete.iter_mut().find(|(known, _)| *known == region) {
                Some((_, known_cost)) => *known_cost = cost.min(*known_cost),
                None => reading.complete.push((region, cost)),
            }
            return;
        }
        for length in (2..=rest.len().min(LONGEST_NAME)).rev() {
            let word: String = rest[..length].iter().collect();
            for named in self.by_name.get(&word).into_iter().flatten() {
                if !self.may_follow(named, above) {
                    continue;
                }
                let used = used + length;
                if reading.furthest.is_none_or(|(_, furthest)| used > furthest) {
                    reading.furthest = Some((named.region, used));
                }
                self.read(&rest[length..], Some(named.region), used, cost + named.spelling as u32, reading);
            }
        }
    }

    fn may_follow(&self, named: &Named, above: Option<usize>) -> bool {
        let Some(above) = above else {
            return named.spelling != Spelling::Loose;
        };
        // 北京市北京市朝阳区 is how systems with three fixed columns write a direct municipality.
        let repeated = named.region == above && self.regions[above].is_city_province();
        repeated || self.ancestors[named.region].contains(&above)
    }

    fn choose(&self, complete: &[(usize, u32)]) -> Choice {
        let Some(cheapest) = complete.iter().map(|&(_, cost)| cost).min() else {
            return Choice::None;
        };
        let mut left: Vec<usize> =
            complete.iter().filter(|&&(_, cost)| cost == cheapest).map(|&(region, _)| region).collect();
        left.sort_by_key(|&region| (self.ancestors[region].len(), region));
        let depth = |region: usize| self.ancestors[region].len();
        match left[..] {
            [only] => Choice::One(only),
            [first, second, ..]
                if depth(first) < depth(second) && self.regions[first].rank != Rank::County =>
            {
                Choice::One(first)
            }
            _ => Choice::Several(left),
        }
    }

    /// What a text that cannot be read may have meant: divisions below the part understood, or anywhere, whose names
    /// share at least half of their characters with the rest.
    fn suggest(&self, plain: &[char], reading: &Reading) -> Vec<String> {
        let (known, rest) = match reading.furthest {
            Some((region, used)) => (Some(region), &plain[used..]),
            None => (None, plain),
        };
        let mut scored: Vec<(usize, usize, usize)> = Vec::new();
        for (index, region) in self.regions.iter().enumerate() {
            if known.is_some_and(|known| !self.ancestors[index].contains(&known)) {
                continue;
            }
            let short = base(region.name, region.rank);
            let shared = short.chars().filter(|c| rest.contains(c)).count();
            let length = short.chars().count();
            if shared * 2 >= length && shared > 0 && (known.is_some() || rest.len() <= length + 3) {
                scored.push((shared * 100 / length, self.ancestors[index].len(), index));
            }
        }
        scored.sort_by_key(|&(score, depth, index)| (std::cmp::Reverse(score), depth, index));
        let mut paths: Vec<String> = scored
            .iter()
            .take(MOST_SUGGESTIONS)
            .map(|&(_, _, index)| self.regions[index].path.to_owned())
            .collect();
        if let Some(known) = known.filter(|_| paths.len() < MOST_SUGGESTIONS) {
            paths.push(self.regions[known].path.to_owned());
        }
        paths
    }
}

fn data_lines(data: &'static str) -> impl Iterator<Item = &'static str> {
    data.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// The text as bare characters, without separators and filler; `None` if nothing or too much is left.
fn normalise(text: &str) -> Option<Vec<char>> {
    if text.len() > LONGEST_TEXT * 4 {
        return None;
    }
    let separator = |c: char| c.is_whitespace() || "/\\-—_,，、.·|>;；:：()（）".contains(c);
    let parts = text.split(separator).filter(|part| !matches!(*part, "" | "县" | "中国" | "中华人民共和国"));
    let mut plain: String = parts.collect();
    for filler in ["自治区直辖县级行政区划", "省直辖县级行政区划", "市辖区"] {
        plain = plain.replace(filler, "");
    }
    for country in ["中华人民共和国", "中国"] {
        plain = plain.strip_prefix(country).map(str::to_owned).unwrap_or(plain);
    }
    let plain: Vec<char> = plain.chars().collect();
    (!plain.is_empty() && plain.len() <= LONGEST_TEXT).then_some(plain)
}

/// Every way to write a name, the full one first, each once.
fn spellings(name: &str, rank: Rank) -> Vec<(String, Spelling)> {
    let short = base(name, rank);
    let mut found = vec![(name.to_owned(), Spelling::Full)];
    let mut add = |spelled: String, spelling| {
        if !found.iter().any(|(known, _)| *known == spelled) {
            found.push((spelled, spelling));
        }
    };
    add(short.to_owned(), Spelling::Short);
    let endings: &[&str] = match rank {
        Rank::Province if name == "内蒙古自治区" => &["内蒙", "内蒙古省"],
        Rank::Province if name.ends_with("自治区") => &["省", "自治区"],
        Rank::Province if name.ends_with("特别行政区") => &["特区", "市"],
        Rank::Province => &[],
        Rank::Prefecture if name.ends_with("自治州") => &["州", "自治州"],
        Rank::Prefecture => &[],
        Rank::County if name.ends_with("自治县") => &["县", "自治县"],
        Rank::County if name.ends_with("自治旗") => &["旗", "自治旗"],
        Rank::County if name.ends_with("新区") => &["新"],
        Rank::County => &[],
    };
    for ending in endings {
        let whole = ending.starts_with("内蒙");
        add(if whole { (*ending).to_owned() } else { format!("{short}{ending}") }, Spelling::Short);
    }
    if rank != Rank::Province && short != name {
        for ending in ["区", "市", "县"] {
            add(format!("{short}{ending}"), Spelling::Loose);
        }
    }
    found
}

/// A name without its ending and without the peoples named in it; the whole name where fewer than two characters
/// would be left (忠县, 东区).
fn base(name: &str, rank: Rank) -> &str {
    let endings: &[&str] = match rank {
        Rank::Province => &["特别行政区", "自治区", "省", "市"],
        Rank::Prefecture => &["自治州", "地区", "盟", "市", "县"],
        Rank::County => &["自治县", "自治旗", "新区", "林区", "特区", "区", "县", "市", "旗", "镇", "乡"],
    };
    let long_enough = |short: &&str| short.chars().count() >= 2;
    let Some((ending, mut short)) = endings
        .iter()
        .find_map(|ending| name.strip_suffix(ending).filter(long_enough).map(|short| (*ending, short)))
    else {
        return name;
    };
    if ending.starts_with("自治") {
        while let Some(shorter) =
            PEOPLES.iter().find_map(|people| short.strip_suffix(people).filter(long_enough))
        {
            short = shorter;
        }
    }
    short
}

/// Peoples as they stand in the names of autonomous divisions, the longer spelling before the shorter.
const PEOPLES: &[&str] = &[
    "蒙古族",
    "蒙古",
    "回族",
    "藏族",
    "维吾尔族",
    "维吾尔",
    "苗族",
    "彝族",
    "壮族",
    "布依族",
    "朝鲜族",
    "满族",
    "侗族",
    "瑶族",
    "白族",
    "土家族",
    "哈尼族",
    "哈萨克族",
    "哈萨克",
    "傣族",
    "黎族",
    "傈僳族",
    "佤族",
    "畲族",
    "拉祜族",
    "水族",
    "东乡族",
    "纳西族",
    "景颇族",
    "柯尔克孜族",
    "柯尔克孜",
    "土族",
    "达斡尔族",
    "达斡尔",
    "仫佬族",
    "羌族",
    "布朗族",
    "撒拉族",
    "毛南族",
    "仡佬族",
    "锡伯族",
    "锡伯",
    "阿昌族",
    "普米族",
    "塔吉克族",
    "塔吉克",
    "怒族",
    "鄂温克族",
    "鄂伦春族",
    "德昂族",
    "保安族",
    "裕固族",
    "独龙族",
    "各族",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn path(text: &str) -> &'static str {
        match resolve(text) {
            Ok(region) => region.path,
            Err(unknown) => panic!("{unknown}"),
        }
    }

    #[test]
    fn names_are_understood_however_written() {
        for (text, expected) in [
            ("广东省/广州市/天河区", "广东省/广州市/天河区"),
            ("广东省广州市天河区", "广东省/广州市/天河区"),
            ("广东 广州 天河", "广东省/广州市/天河区"),
            ("中国-广东-广州", "广东省/广州市"),
            ("广东广州", "广东省/广州市"),
            ("广州", "广东省/广州市"),
            ("广州市天河区", "广东省/广州市/天河区"),
            ("广州市从化市", "广东省/广州市/从化区"),
            ("江苏昆山", "江苏省/苏州市/昆山市"),
            ("东莞", "广东省/东莞市"),
            ("内蒙古", "内蒙古自治区"),
            ("内蒙", "内蒙古自治区"),
            ("新疆伊犁州", "新疆维吾尔自治区/伊犁哈萨克自治州"),
            ("石河子", "新疆维吾尔自治区/石河子市"),
            ("恩施", "湖北省/恩施土家族苗族自治州"),
            ("恩施市", "湖北省/恩施土家族苗族自治州/恩施市"),
            ("湖北仙桃", "湖北省/仙桃市"),
            ("湖北省/省直辖县级行政区划/仙桃市", "湖北省/仙桃市"),
            ("石柱县", "重庆市/石柱土家族自治县"),
            ("重庆市/县/云阳县", "重庆市/云阳县"),
            ("忠县", "重庆市/忠县"),
            ("浦东", "上海市/浦东新区"),
            ("440106", "广东省/广州市/天河区"),
            ("  广西 ", "广西壮族自治区"),
            ("广西省南宁", "广西壮族自治区/南宁市"),
        ] {
            assert_eq!(path(text), expected, "{text}");
        }
    }

    #[test]
    fn direct_municipalities_have_no_level_between() {
        for text in
            ["北京朝阳", "北京市/朝阳区", "北京市市辖区朝阳区", "北京市/北京市/朝阳区", "北京北京朝阳"]
        {
            assert_eq!(path(text), "北京市/朝阳区", "{text}");
        }
    }

    #[test]
    fn hong_kong_macau_and_taiwan_are_there() {
        for (text, expected) in [
            ("香港", "香港特别行政区"),
            ("中国香港", "香港特别行政区"),
            ("香港湾仔", "香港特别行政区/湾仔区"),
            ("澳门特区", "澳门特别行政区"),
            ("台湾", "台湾省"),
            ("台北", "台湾省/台北市"),
            ("台湾省/台北市/大安区", "台湾省/台北市/大安区"),
        ] {
            assert_eq!(path(text), expected, "{text}");
        }
    }

    #[test]
    fn the_larger_division_is_meant_by_a_shared_short_name() {
        for (text, expected) in [
            ("吉林", "吉林省"),
            ("吉林吉林", "吉林省/吉林市"),
            ("吉林市", "吉林省/吉林市"),
            ("海南", "海南省"),
            ("长沙", "湖南省/长沙市"),
            ("长沙县", "湖南省/长沙市/长沙县"),
            ("西安", "陕西省/西安市"),
            ("大同", "山西省/大同市"),
            ("朝阳市", "辽宁省/朝阳市"),
        ] {
            assert_eq!(path(text), expected, "{text}");
        }
    }

    #[test]
    fn ambiguous_names_are_refused_with_proposals() {
        for text in ["朝阳", "朝阳区", "鼓楼区", "通州", "东区", "和平"] {
            let unknown = resolve(text).expect_err(text);
            assert!((2..=MOST_SUGGESTIONS).contains(&unknown.suggestions.len()), "{unknown:?}");
            for suggestion in &unknown.suggestions {
                assert_eq!(path(suggestion), suggestion);
            }
        }
        let unknown = resolve("朝阳").expect_err("ambiguous");
        assert!(unknown.suggestions.contains(&"北京市/朝阳区".to_owned()));
        assert!(unknown.suggestions.contains(&"辽宁省/朝阳市".to_owned()));
        assert!(unknown.to_string().contains("北京市/朝阳区"));
    }

    #[test]
    fn unreadable_texts_are_refused() {
        for text in
            ["", "  ", "火星", "广东省广州市天河区体育西路103号", "省", "12345", "999999", "/", "Beijing"]
        {
            assert!(resolve(text).is_err(), "{text}");
        }
        assert!(resolve(&"广州".repeat(1_000)).is_err());
        assert!(resolve(&"广".repeat(64)).is_err());
        let typo = resolve("广东省广洲市").expect_err("typo");
        assert_eq!(typo.suggestions.first().map(String::as_str), Some("广东省/广州市"));
        let typo = resolve("广东省广州市天湖区").expect_err("typo");
        assert_eq!(typo.suggestions.first().map(String::as_str), Some("广东省/广州市/天河区"));
    }

    #[test]
    fn every_canonical_path_resolves_to_itself_with_and_without_separators() {
        for region in &TABLE.regions {
            assert_eq!(path(region.path), region.path);
            let joined = region.path.replace('/', "");
            assert_eq!(resolve(&joined).map(|found| found.path), Ok(region.path), "{joined}");
        }
        assert!(TABLE.regions.len() > 3_500);
        assert_eq!(TABLE.by_path.len(), TABLE.regions.len());
    }

    #[test]
    fn id_cards_tell_the_place_of_issue() {
        let place = |number: &str| from_id_card(number).map(|region| region.path);
        assert_eq!(place("440106199001011234"), Some("广东省/广州市/天河区"));
        // Former codes: a county of 四川 that is a district of 重庆 today, a district that was merged away.
        assert_eq!(place("510212197001011234"), Some("重庆市/沙坪坝区"));
        assert_eq!(place("512301197001011234"), Some("重庆市/涪陵区"));
        assert_eq!(place("110103197001011234"), Some("北京市"));
        assert_eq!(place("440199197001011234"), Some("广东省/广州市"));
        assert_eq!(place("810000199001011234"), Some("香港特别行政区"));
        assert_eq!(place("830000199001011234"), Some("台湾省"));
        assert_eq!(place("990000199001011234"), None);
        assert_eq!(place("4401"), None);
        assert_eq!(place("四四〇一〇六"), None);
    }

    #[test]
    fn former_codes_lead_to_codes_of_today() {
        for (former, now) in &TABLE.former {
            assert!(by_code(now).is_some() && by_code(former).is_none(), "{former} {now}");
        }
    }

    #[test]
    fn children_feed_a_cascade() {
        assert_eq!(children("").count(), 34);
        assert_eq!(children("北京市").count(), 16);
        assert!(children("广东省/广州市").any(|region| region.name == "天河区"));
        assert_eq!(children("广东省/广州市/天河区").count(), 0);
        assert_eq!(children("火星").count(), 0);
        assert_eq!(province("广东省/广州市"), "广东省");
        assert_eq!(province("广东省"), "广东省");
        assert_eq!(province(""), "");
    }
}
