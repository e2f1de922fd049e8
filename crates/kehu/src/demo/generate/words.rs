//! Names of people and companies: frequency lists and building blocks, written for this program.

use super::random::Random;

/// Surname, spelling in mail addresses, how many of 10,000 people bear it (rounded).
pub const SURNAMES: &[(&str, &str, usize)] = &[
    ("王", "wang", 715),
    ("李", "li", 718),
    ("张", "zhang", 674),
    ("刘", "liu", 510),
    ("陈", "chen", 561),
    ("杨", "yang", 330),
    ("黄", "huang", 290),
    ("赵", "zhao", 201),
    ("吴", "wu", 205),
    ("周", "zhou", 196),
    ("徐", "xu", 145),
    ("孙", "sun", 138),
    ("马", "ma", 129),
    ("朱", "zhu", 126),
    ("胡", "hu", 120),
    ("林", "lin", 142),
    ("郭", "guo", 117),
    ("何", "he", 126),
    ("高", "gao", 106),
    ("罗", "luo", 112),
    ("郑", "zheng", 104),
    ("梁", "liang", 126),
    ("谢", "xie", 94),
    ("宋", "song", 73),
    ("唐", "tang", 76),
    ("许", "xu", 68),
    ("邓", "deng", 76),
    ("韩", "han", 59),
    ("冯", "feng", 66),
    ("曹", "cao", 56),
    ("彭", "peng", 61),
    ("曾", "zeng", 68),
    ("肖", "xiao", 55),
    ("田", "tian", 47),
    ("董", "dong", 45),
    ("潘", "pan", 49),
    ("袁", "yuan", 45),
    ("蔡", "cai", 52),
    ("蒋", "jiang", 44),
    ("余", "yu", 48),
    ("于", "yu", 40),
    ("杜", "du", 42),
    ("叶", "ye", 46),
    ("程", "cheng", 40),
    ("魏", "wei", 39),
    ("苏", "su", 44),
    ("吕", "lv", 37),
    ("丁", "ding", 36),
    ("任", "ren", 34),
    ("卢", "lu", 44),
    ("姚", "yao", 33),
    ("沈", "shen", 32),
    ("钟", "zhong", 45),
    ("姜", "jiang", 28),
    ("崔", "cui", 28),
    ("谭", "tan", 36),
    ("陆", "lu", 32),
    ("范", "fan", 29),
    ("汪", "wang", 28),
    ("廖", "liao", 38),
    ("石", "shi", 26),
    ("金", "jin", 24),
    ("韦", "wei", 38),
    ("贾", "jia", 22),
    ("夏", "xia", 24),
    ("付", "fu", 22),
    ("方", "fang", 26),
    ("邹", "zou", 25),
    ("熊", "xiong", 22),
    ("白", "bai", 20),
    ("孟", "meng", 18),
    ("秦", "qin", 20),
    ("邱", "qiu", 24),
    ("侯", "hou", 17),
    ("江", "jiang", 24),
    ("尹", "yin", 18),
    ("薛", "xue", 17),
    ("闫", "yan", 15),
    ("段", "duan", 16),
    ("雷", "lei", 18),
    ("龙", "long", 18),
    ("黎", "li", 26),
    ("史", "shi", 14),
    ("陶", "tao", 15),
    ("贺", "he", 14),
    ("毛", "mao", 14),
    ("郝", "hao", 12),
    ("顾", "gu", 13),
    ("龚", "gong", 15),
    ("邵", "shao", 12),
    ("万", "wan", 13),
    ("覃", "qin", 18),
    ("武", "wu", 12),
    ("钱", "qian", 12),
    ("戴", "dai", 13),
    ("严", "yan", 12),
    ("欧", "ou", 14),
    ("莫", "mo", 16),
    ("孔", "kong", 11),
    ("向", "xiang", 10),
    ("常", "chang", 10),
    ("温", "wen", 13),
    ("赖", "lai", 15),
    ("康", "kang", 10),
    ("施", "shi", 9),
    ("文", "wen", 10),
    ("洪", "hong", 11),
    ("关", "guan", 11),
    ("麦", "mai", 10),
    ("霍", "huo", 8),
    ("区", "ou", 7),
    ("欧阳", "ouyang", 9),
    ("司徒", "situ", 3),
    ("上官", "shangguan", 2),
];

const MALE: &str = "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林海峰建国志文晓东亮成永振新光天达安岩中茂进有坚和彪博诚先敬震壮会思群豪心邦承乐绍功松善厚庆民友裕河哲江亨奇全胜学祥才发武利清彬富顺信子昌康星言昊毅政谦泽晨辰轩皓锦铭嘉弘源恒元朝阳荣根贵福生川世广义兴良仁贤德立正家豫卫炳钧衡楠骏驰尧翰雄瑞逸维鸣润钊淼向前";
const FEMALE: &str = "芳娜敏静秀娟英慧巧美淑惠珠翠雅芝玉萍红娥玲芬燕彩春菊兰凤洁梅琳素云莲真环雪荣爱妹霞香月莺媛艳瑞凡佳嘉琼勤珍贞莉桂娣叶璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑筠柔竹霭凝晓欢霄枫芸菲寒欣滢伊亚宜可姬舒影荔枝思丽飘育馥琪韵融园艺咏卿聪澜纯毓悦昭冰爽琬茗羽希宁诗涵雨桐语萱若彤依";
const OLDER_FIRST: &str = "建国志文永振玉秀桂春海明德庆金光荣新兴家";

/// First and second character of a company's own name, each with its spelling.
const BRAND_FIRST: &[(&str, &str)] = &[
    ("鸿", "hong"),
    ("恒", "heng"),
    ("华", "hua"),
    ("天", "tian"),
    ("金", "jin"),
    ("瑞", "rui"),
    ("盛", "sheng"),
    ("嘉", "jia"),
    ("永", "yong"),
    ("新", "xin"),
    ("东", "dong"),
    ("荣", "rong"),
    ("泰", "tai"),
    ("科", "ke"),
    ("博", "bo"),
    ("宏", "hong"),
    ("德", "de"),
    ("美", "mei"),
    ("安", "an"),
    ("粤", "yue"),
    ("南", "nan"),
    ("海", "hai"),
    ("正", "zheng"),
    ("信", "xin"),
    ("联", "lian"),
    ("汇", "hui"),
    ("佳", "jia"),
    ("百", "bai"),
    ("万", "wan"),
    ("祥", "xiang"),
    ("锦", "jin"),
    ("中", "zhong"),
    ("凯", "kai"),
    ("旭", "xu"),
    ("明", "ming"),
];
const BRAND_SECOND: &[(&str, &str)] = &[
    ("达", "da"),
    ("远", "yuan"),
    ("兴", "xing"),
    ("隆", "long"),
    ("丰", "feng"),
    ("源", "yuan"),
    ("诚", "cheng"),
    ("发", "fa"),
    ("利", "li"),
    ("业", "ye"),
    ("通", "tong"),
    ("泽", "ze"),
    ("创", "chuang"),
    ("力", "li"),
    ("星", "xing"),
    ("辉", "hui"),
    ("宇", "yu"),
    ("腾", "teng"),
    ("顺", "shun"),
    ("和", "he"),
    ("康", "kang"),
    ("宝", "bao"),
    ("威", "wei"),
    ("邦", "bang"),
    ("润", "run"),
    ("昌", "chang"),
    ("铭", "ming"),
    ("鑫", "xin"),
    ("益", "yi"),
    ("景", "jing"),
];
const BRAND_THIRD: &[(&str, &str)] = &[
    ("斯", "si"),
    ("尔", "er"),
    ("特", "te"),
    ("隆", "long"),
    ("美", "mei"),
    ("成", "cheng"),
    ("佳", "jia"),
    ("德", "de"),
];

/// A person's name with the spelling of the surname.
pub struct PersonName {
    pub spelling: &'static str,
    pub full: String,
}

pub fn person_name(random: &mut Random, male: bool, born: i16) -> PersonName {
    let &(surname, spelling, _) = random.weighted(SURNAMES, |&(_, _, weight)| weight);
    let given = if male { MALE } else { FEMALE };
    let mut full = String::from(surname);
    let single = random.chance(if born < 1995 { 20 } else { 10 });
    let mut previous = None;
    if !single {
        let first = if born < 1975 && random.chance(60) { OLDER_FIRST } else { given };
        previous = character(random, first);
        full.extend(previous);
    }
    // 磊磊 and the like are pet names; one more draw is enough to make them rare.
    let last = character(random, given);
    let last = if last == previous { character(random, given) } else { last };
    full.extend(last);
    PersonName { spelling, full }
}

fn character(random: &mut Random, list: &str) -> Option<char> {
    // Every character of these lists takes three bytes, so none has to be counted.
    let index = random.below(list.len() / 3) * 3;
    list.get(index..index + 3).and_then(|text| text.chars().next())
}

/// A company's own name (字号) and its spelling: `("鸿达", "hongda")`.
pub fn brand(random: &mut Random) -> (String, String) {
    let first = random.pick(BRAND_FIRST);
    let second = random.pick(BRAND_SECOND);
    let mut name = format!("{}{}", first.0, second.0);
    let mut spelling = format!("{}{}", first.1, second.1);
    if random.chance(18) {
        let third = random.pick(BRAND_THIRD);
        name.push_str(third.0);
        spelling.push_str(third.1);
    }
    (name, spelling)
}

/// What organisations of a line of business do: words in the name, code of the dictionary `industry`.
pub type Trade = (&'static str, &'static str);

pub const TENANT_TRADES: &[Trade] = &[
    ("信息科技", "software"),
    ("软件", "software"),
    ("网络科技", "software"),
    ("企业管理咨询", "business_services"),
    ("文化传播", "culture"),
    ("广告", "business_services"),
    ("贸易", "wholesale"),
    ("餐饮管理", "hospitality"),
    ("教育咨询", "education"),
    ("建筑设计", "research"),
    ("装饰工程", "construction"),
    ("供应链管理", "logistics"),
    ("投资咨询", "finance"),
    ("人力资源", "business_services"),
    ("生物科技", "research"),
    ("健康管理", "health"),
];
pub const FLEET_TRADES: &[Trade] = &[
    ("物流", "logistics"),
    ("运输", "logistics"),
    ("汽车租赁", "business_services"),
    ("商务服务", "business_services"),
    ("建筑工程", "construction"),
    ("食品", "food"),
    ("医疗器械", "pharmaceutical"),
    ("旅游", "culture"),
    ("快递服务", "logistics"),
    ("园林绿化", "construction"),
    ("电器", "electrical"),
    ("贸易", "wholesale"),
];
pub const POWER_TRADES: &[Trade] = &[
    ("五金制品", "metal"),
    ("塑料制品", "chemical"),
    ("纺织", "textile"),
    ("精密机械", "machinery"),
    ("电子", "electronics"),
    ("铝业", "metal"),
    ("陶瓷", "furniture"),
    ("包装材料", "chemical"),
    ("食品", "food"),
    ("数据服务", "software"),
    ("冷链物流", "logistics"),
    ("酒店管理", "hospitality"),
    ("水务", "energy"),
    ("新能源", "energy"),
    ("家具", "furniture"),
    ("模具", "machinery"),
    ("农业发展", "agriculture"),
    ("矿业", "mining"),
];
pub const DEALER_TRADES: &[Trade] = &[
    ("商贸", "wholesale"),
    ("百货", "retail"),
    ("超市", "retail"),
    ("连锁商业", "retail"),
    ("电子商务", "retail"),
    ("食品商行", "wholesale"),
    ("日用品", "retail"),
    ("家电", "retail"),
    ("服饰", "textile"),
];
pub const MANUFACTURING_TRADES: &[Trade] = &[
    ("机械设备", "machinery"),
    ("机电设备", "machinery"),
    ("汽车零部件", "automotive"),
    ("电气设备", "electrical"),
    ("制药", "pharmaceutical"),
    ("化工", "chemical"),
    ("电子", "electronics"),
    ("食品机械", "machinery"),
    ("节能科技", "energy"),
    ("机电安装工程", "construction"),
    ("暖通工程", "construction"),
    ("饮料", "food"),
    ("半导体", "electronics"),
    ("金属制品", "metal"),
];
/// Shops of sole traders; named after their district.
pub const SHOP_TRADES: &[Trade] = &[
    ("便利店", "retail"),
    ("超市", "retail"),
    ("烟酒商行", "retail"),
    ("粮油店", "retail"),
    ("水果店", "retail"),
    ("餐厅", "hospitality"),
    ("饭店", "hospitality"),
    ("五金店", "retail"),
    ("家电经营部", "retail"),
    ("汽车美容店", "resident_services"),
    ("百货商行", "retail"),
    ("文具店", "retail"),
];
/// Bodies that are no companies: ending of the name, industry, nature, first two characters of the credit code.
pub const PUBLIC_BODIES: &[(&str, &str, &str, &str)] = &[
    ("实验学校", "education", "public_institution", "12"),
    ("小学", "education", "public_institution", "12"),
    ("社区卫生服务中心", "health", "public_institution", "12"),
    ("文化站", "culture", "public_institution", "12"),
    ("街道办事处", "public_administration", "government", "11"),
    ("商会", "resident_services", "social_organisation", "51"),
];
pub const FORMS: &[(&str, usize)] =
    &[("有限公司", 72), ("有限责任公司", 13), ("股份有限公司", 7), ("集团有限公司", 4), ("实业有限公司", 4)];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn lists_are_long_enough_and_made_of_single_characters() {
        assert!(SURNAMES.len() >= 100);
        for list in [MALE, FEMALE, OLDER_FIRST] {
            assert!(list.chars().all(|c| c.len_utf8() == 3));
        }
        let given: HashSet<char> = MALE.chars().chain(FEMALE.chars()).collect();
        assert!(given.len() >= 300, "{}", given.len());
        let surnames: HashSet<&str> = SURNAMES.iter().map(|(name, ..)| *name).collect();
        assert_eq!(surnames.len(), SURNAMES.len());
        assert!(BRAND_FIRST.len() * BRAND_SECOND.len() >= 200);
    }
}
