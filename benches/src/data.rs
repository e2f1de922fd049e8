//! Customers made up from a seed: the same ones in every run.

use serde_json::{Map, Value, json};

/// A small generator; the figures must not depend on a library's idea of randomness.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const SURNAMES: &str =
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈";
const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文辉玲红梅春生玉兰志海燕鹏飞宇浩然子涵雨欣梓轩佳怡博思晨";
const TRADES: &[&str] = &[
    "天江",
    "恒信",
    "鼎盛",
    "宏达",
    "瑞丰",
    "金源",
    "华远",
    "中海",
    "德胜",
    "万通",
    "嘉和",
    "永泰",
    "启明",
    "联创",
    "博雅",
    "新世纪",
    "东方",
    "盛世",
    "凯达",
    "伟业",
    "佳美",
    "安泰",
    "合力",
    "同创",
    "锦绣",
    "长虹",
    "立信",
    "正大",
    "光华",
    "裕隆",
];
const LINES: &[&str] = &[
    "商贸",
    "科技",
    "物业管理",
    "汽车销售",
    "电子",
    "建材",
    "食品",
    "医疗器械",
    "物流",
    "机械设备",
    "信息技术",
    "广告传媒",
    "房地产开发",
    "餐饮管理",
    "服装",
    "化工",
    "能源",
    "装饰工程",
    "教育咨询",
    "进出口",
];
const REGIONS: &[(&str, &str)] = &[
    ("广州", "广东省/广州市/天河区"),
    ("广州", "广东省/广州市/越秀区"),
    ("深圳", "广东省/深圳市/南山区"),
    ("杭州", "浙江省/杭州市/西湖区"),
    ("宁波", "浙江省/宁波市/鄞州区"),
    ("南京", "江苏省/南京市/玄武区"),
    ("苏州", "江苏省/苏州市/虎丘区"),
    ("成都", "四川省/成都市/武侯区"),
    ("武汉", "湖北省/武汉市/武昌区"),
    ("长沙", "湖南省/长沙市/岳麓区"),
    ("西安", "陕西省/西安市/雁塔区"),
    ("郑州", "河南省/郑州市/金水区"),
    ("济南", "山东省/济南市/历下区"),
    ("青岛", "山东省/青岛市/市南区"),
    ("沈阳", "辽宁省/沈阳市/和平区"),
    ("福州", "福建省/福州市/鼓楼区"),
];
const STREETS: &[&str] = &["中山路", "解放路", "人民路", "建设路", "和平街", "文化路", "科技园", "滨江大道"];
const CLASSES: &[&str] =
    &["target", "general", "general", "general", "key", "potential", "potential", "potential"];
const LEVELS: &[&str] = &["A", "B", "C", "D"];

/// Milliseconds at which the first made-up customer was changed: 2026-01-01.
pub const BEGIN: i64 = 1_767_225_600_000;

/// A person's name.
pub fn person(random: &mut Random) -> String {
    let letter = |random: &mut Random, of: &str| of.chars().nth(random.below(of.chars().count())).unwrap();
    let mut name = letter(random, SURNAMES).to_string();
    for _ in 0..=random.below(2) {
        name.push(letter(random, GIVEN));
    }
    name
}

/// Customer number `n` as the API takes it, without an owner.
pub fn customer(n: usize) -> Map<String, Value> {
    let random = &mut Random::new(n as u64 + 1);
    for _ in 0..4 {
        random.next();
    }
    let (city, region) = REGIONS[random.below(REGIONS.len())];
    let is_person = random.below(10) < 4;
    let name = if is_person {
        person(random)
    } else {
        format!("{city}{}{}有限公司", random.one(TRADES), random.one(LINES))
    };
    let phone =
        format!("13{}{:08}", 5 + random.below(5), (n as u64 * 7_919 + random.next() % 97) % 100_000_000);
    let address = format!("{}{}号", random.one(STREETS), 1 + random.below(999));
    let body = json!({
        "kind": if is_person { "person" } else { "organisation" },
        "name": name,
        "phone": phone,
        "email": format!("user{n}@example.com"),
        "region": region,
        "address": address,
        "class": random.one(CLASSES),
        "level": random.one(LEVELS),
        "remark": "老客户介绍，重视售后服务，希望每季度回访一次。",
    });
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

/// A file as a company keeps it, with a header in Chinese; one row in a hundred has a wrong phone number.
pub fn csv(rows: usize) -> String {
    let mut text = String::from("\u{feff}客户性质,客户名称,联系电话,电子邮箱,所在地区,详细地址,备注\r\n");
    for n in 0..rows {
        let customer = customer(5_000_000 + n);
        let cell = |name: &str| customer[name].as_str().unwrap().to_owned();
        let kind = if cell("kind") == "person" { "个人" } else { "企业" };
        let phone = if n % 100 == 99 { "1380013800x".to_owned() } else { cell("phone") };
        let row = [
            kind.to_owned(),
            cell("name"),
            phone,
            cell("email"),
            cell("region"),
            cell("address"),
            cell("remark"),
        ];
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    text
}
