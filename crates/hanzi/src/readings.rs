//! Pinyin of names. The `pinyin` crate reads character by character; words (重庆, 银行) and family names (单, 尉迟) are
//! read by tables here. ü is written v, as it is typed.

use std::sync::LazyLock;

use pinyin::ToPinyin;

use crate::fold;

/// The plausible readings of every character of `name`, the likeliest first; empty for what is not Chinese.
pub fn syllables(name: &str) -> Vec<Vec<&'static str>> {
    let chars: Vec<char> = name.chars().collect();
    read(&chars)
}

/// The likeliest reading in one word: 张三 is `zhangsan`. Latin letters and digits are kept in lower case.
pub fn full(name: &str) -> String {
    spell(name, |reading| reading)
}

/// The first letters of the likeliest reading: 张三 is `zs`. Latin letters and digits are kept in lower case.
pub fn initials(name: &str) -> String {
    spell(name, |reading| &reading[..1])
}

/// How many characters at the start of a Chinese name are the family name: 2 for 欧阳修, 1 for 张三, 0 for no Chinese.
pub fn surname_len(name: &str) -> usize {
    let chars: Vec<char> = name.chars().take(4).map(fold::character).collect();
    let tables = &*TABLES;
    // 尉迟 may stand alone, but 东方 or 南门 with nothing after it is as likely a family name and a given name.
    let compound = chars.first().and_then(|&c| tables.entry(c)).and_then(|entry| {
        entry
            .surnames
            .iter()
            .find(|s| s.chars.len() > 1 && chars.len() > s.chars.len() && chars.starts_with(&s.chars))
    });
    match compound {
        Some(surname) => surname.chars.len(),
        None => usize::from(chars.first().is_some_and(|&c| fold::is_han(c))),
    }
}

fn spell(name: &str, part: impl Fn(&'static str) -> &'static str) -> String {
    let mut spelled = String::with_capacity(name.len() * 2);
    for (c, readings) in name.chars().zip(syllables(name)) {
        match readings.first() {
            Some(&reading) => spelled.push_str(part(reading)),
            None if c.is_alphanumeric() || ('\u{ff01}'..='\u{ff5e}').contains(&c) => {
                spelled.extend(Some(fold::character(c)).filter(|c| c.is_alphanumeric()));
            }
            None => {}
        }
    }
    spelled
}

pub(crate) fn read(original: &[char]) -> Vec<Vec<&'static str>> {
    let tables = &*TABLES;
    let folded: Vec<char> = original.iter().map(|&c| fold::character(c)).collect();
    let mut readings = Vec::with_capacity(folded.len());
    if let Some(surname) = surname_of(tables, &folded) {
        readings.extend(surname.readings.iter().cloned());
    }
    while readings.len() < folded.len() {
        let rest = &folded[readings.len()..];
        match tables.entry(rest[0]).and_then(|entry| entry.words.iter().find(|w| rest.starts_with(&w.chars)))
        {
            Some(word) => readings.extend(word.readings.iter().cloned()),
            None => readings.push(alone(tables, original[readings.len()], rest[0])),
        }
    }
    readings
}

/// The entry of the family name a person's name of two to four characters begins with, if it has one of its own.
fn surname_of<'t>(tables: &'t Tables, folded: &[char]) -> Option<&'t Word> {
    let entry = tables.entry(*folded.first()?)?;
    if entry.surnames.is_empty() {
        return None;
    }
    let len = folded.iter().filter(|&&c| !fold::is_name_dot(c)).count();
    let is_person = (2..=4).contains(&len) && folded.iter().all(|&c| fold::is_han(c) || fold::is_name_dot(c));
    let surname = entry.surnames.iter().find(|s| folded.starts_with(&s.chars))?;
    if surname.chars.len() > 1 {
        return Some(surname);
    }
    let is_word = entry.words.iter().chain(&entry.not_names).any(|w| folded.starts_with(&w.chars));
    (is_person && !is_word).then_some(surname)
}

fn alone(tables: &Tables, original: char, folded: char) -> Vec<&'static str> {
    let own = |c: char| tables.entry(c).map(|entry| &entry.readings).filter(|readings| !readings.is_empty());
    let by_crate = |c: char| c.to_pinyin().map(|p| typed(p.plain()));
    if let Some(readings) = own(original) {
        return readings.clone();
    }
    match (own(folded), by_crate(original)) {
        // 長 is read as 长; 乾, folded to 干, keeps its own reading.
        (Some(readings), Some(reading)) if readings.contains(&reading) => readings.clone(),
        (Some(readings), None) => readings.clone(),
        (_, Some(reading)) => vec![reading],
        (None, None) => by_crate(folded).into_iter().collect(),
    }
}

fn typed(reading: &'static str) -> &'static str {
    match reading {
        "lü" => "lv",
        "nü" => "nv",
        "lüe" => "lve",
        "nüe" => "nve",
        // The interjections 诶 and 嗯 carry accents that nobody types.
        other if !other.is_ascii() => "e",
        other => other,
    }
}

struct Word {
    chars: Vec<char>,
    /// Per character, the likeliest first.
    readings: Vec<Vec<&'static str>>,
}

/// What the tables know about a character: how it is read alone, and the words and family names it begins.
#[derive(Default)]
struct Entry {
    readings: Vec<&'static str>,
    words: Vec<Word>,
    surnames: Vec<Word>,
    not_names: Vec<Word>,
}

struct Tables {
    slots: Box<[u16]>,
    entries: Vec<Entry>,
}

const FIRST: usize = 0x3400;
const LAST: usize = 0xa000;

impl Tables {
    fn entry(&self, c: char) -> Option<&Entry> {
        let slot = *self.slots.get((c as usize).wrapping_sub(FIRST))?;
        self.entries.get(usize::from(slot))
    }

    fn entry_mut(&mut self, c: char) -> Option<&mut Entry> {
        let slot = self.slots.get_mut((c as usize).wrapping_sub(FIRST))?;
        if *slot == u16::MAX {
            *slot = u16::try_from(self.entries.len()).ok()?;
            self.entries.push(Entry::default());
        }
        self.entries.get_mut(usize::from(*slot))
    }
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables { slots: vec![u16::MAX; LAST - FIRST].into(), entries: Vec::new() };
    for line in lines(include_str!("../data/characters.txt")) {
        let mut fields = line.split(' ');
        let head = fields.next().and_then(|field| field.chars().next());
        if let Some(entry) = head.and_then(|c| tables.entry_mut(c)) {
            entry.readings = fields.collect();
        }
    }
    for line in lines(include_str!("../data/phrases.txt")) {
        add(&mut tables, line, |entry| &mut entry.words);
    }
    for line in lines(SURNAMES) {
        add(&mut tables, line, |entry| &mut entry.surnames);
    }
    for word in NOT_NAMES.split_whitespace() {
        add(&mut tables, word, |entry| &mut entry.not_names);
    }
    for entry in &mut tables.entries {
        for words in [&mut entry.words, &mut entry.surnames] {
            words.sort_by_key(|word| std::cmp::Reverse(word.chars.len()));
        }
    }
    tables
});

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn add(tables: &mut Tables, line: &'static str, list: impl Fn(&mut Entry) -> &mut Vec<Word>) {
    let mut fields = line.split(' ');
    let chars: Vec<char> = fields.next().unwrap_or_default().chars().collect();
    let readings = fields.map(|field| field.split('/').collect()).collect();
    if let Some(entry) = chars.first().and_then(|&c| tables.entry_mut(c)) {
        list(entry).push(Word { chars, readings });
    }
}

/// Family names that are not read as the character usually is, or that are read in more than one way. All readings are
/// searchable; the first is shown. Compound names also tell masking where the family name ends.
const SURNAMES: &str = "\
单 shan/dan
曾 zeng/ceng
仇 qiu/chou
查 zha/cha
朴 piao/pu
解 xie/jie
区 ou/qu
翟 zhai/di
缪 miao/mou
繁 po/fan
种 chong/zhong
员 yun/yuan
折 she/zhe
召 shao/zhao
秘 bi/mi
盖 ge/gai
洗 xian/xi
冼 xian
任 ren
华 hua
尉 wei/yu
乐 yue/le
覃 qin/tan
谌 chen/shen
车 che
都 du
宓 mi/fu
褚 chu/zhu
郗 xi/chi
逄 pang
佘 she
牟 mou/mu
贾 jia
费 fei/bi
薄 bo/bao
宁 ning
纪 ji
盛 sheng
柏 bai/bo
卜 bu/bo
祭 zhai/ji
郇 xun/huan
隗 wei/kui
句 gou/ju
相 xiang
那 na
黑 he/hei
燕 yan
应 ying
藏 zang/cang
么 yao/me
幺 yao
乜 nie/mie
瞿 qu
过 guo
能 nai/neng
阚 kan/han
厘 xi/li
阙 que
殷 yin
訾 zi
行 xing/hang
适 kuo/shi
贲 ben/bi
隽 juan/jun
炅 gui/jiong
炔 gui/que
昝 zan
糜 mi/mei
莘 shen/xin
朝 chao/zhao
角 jue/jiao
省 xing/sheng
颉 xie/jie
缴 jiao
提 di/ti
强 qiang/jiang
重 chong/zhong
郄 qie/xi
佴 nai/er
洼 wa/gui
蕃 po/fan
沈 shen
石 shi
叶 ye
谷 gu
会 gui/hui
降 jiang/xiang
仝 tong
亓 qi
哈 ha
撒 sa
俞 yu
葛 ge
万俟 mo qi
尉迟 yu/wei chi
澹台 tan/dan tai
长孙 zhang/chang sun
单于 chan/shan yu
令狐 ling hu
皇甫 huang fu
宰父 zai fu
子车 zi ju/che
乐正 yue/le zheng
夹谷 jia gu
谷梁 gu liang
亓官 qi guan
拓跋 tuo ba
吐谷浑 tu yu hun
呼延 hu yan
澹雅 tan ya
欧阳 ou yang
司马 si ma
上官 shang guan
诸葛 zhu ge
夏侯 xia hou
东方 dong fang
赫连 he lian
公孙 gong sun
慕容 mu rong
宇文 yu wen
司徒 si tu
司空 si kong
司寇 si kou
钟离 zhong li
轩辕 xuan yuan
端木 duan mu
百里 bai li
东郭 dong guo
南门 nan men
西门 xi men
东门 dong men
南宫 nan gong
独孤 du gu
申屠 shen tu
公羊 gong yang
公冶 gong ye
濮阳 pu yang
淳于 chun yu
太叔 tai shu
闻人 wen ren
鲜于 xian yu
闾丘 lv qiu
仲孙 zhong sun
颛孙 zhuan sun
巫马 wu ma
公西 gong xi
漆雕 qi diao
壤驷 rang si
公良 gong liang
段干 duan gan
羊舌 yang she
微生 wei sheng
梁丘 liang qiu
左丘 zuo qiu
第五 di wu
完颜 wan yan
耶律 ye lv
纳兰 na lan
爱新觉罗 ai xin jue luo
叶赫那拉 ye he na la
宗政 zong zheng";

/// Words that begin with one of these family names and are no names of persons.
const NOT_NAMES: &str = "单位 单车 单一 单元 单线 单身 单品 单据 单价 单店 单反 单机 区域 区间 区块 区划 区内 区政 查理 查尔 查询 \
    查验 查号 解放 解决 解码 解析 解除 解答 解忧 朴素 朴实 盖世 盖亚 盖茨 盖尔 盖特 盖洛 种子 种植 种业 种苗 种养 种猪 种禽 \
    员工 洗车 洗衣 洗涤 洗浴 洗染 洗护 洗煤 洗选 洗脚 洗发 洗头 秘书 秘密 秘鲁 秘境 秘制 折扇 折叠 折扣 折页 折弯 繁荣 繁星 繁华 繁花 \
    繁育 繁殖 繁昌 召唤 召集 曾经 曾祖 仇恨 乐天 乐园 乐山 乐居 乐购 乐高 乐视 乐享 乐活 乐趣 乐观 乐业 乐安 乐都 乐东 乐至 乐昌 \
    会议 会展 会员 会所 会馆 会务 会签 重点 重型 重工 重机 重汽 重要 重大 重力 重症 重彩 能源 能力 能量 能效 能耗 强化 强制 提升 \
    提供 提案 提货 适用 适合 适应 适配 适老 厘米 角落 行车 行业 行政 行动 行程 行李 行者 行知 省级 省委 省政 省外 省内 省会 朝阳 黑龙 黑石 黑河 黑马 \
    黑山 黑土 黑白 黑客 过滤 过户 莘庄 莘县 降低 降温 降噪 折射 折旧";

/// Every syllable, sorted, so that typed letters can be cut into syllables.
pub(crate) static SYLLABLES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut syllables: Vec<_> = SYLLABLE_LIST.split_whitespace().collect();
    syllables.sort_unstable();
    syllables
});

const SYLLABLE_LIST: &str = "a ai an ang ao ba bai ban bang bao bei ben beng bi bian biang biao bie bin bing bo bong bu ca cai can \
    cang cao ce cei cen ceng cha chai chan chang chao che chen cheng chi chong chou chu chua chuai chuan \
    chuang chui chun chuo ci cong cou cu cuan cui cun cuo da dai dan dang dao de dei den deng di dia dian \
    diao die din ding diu dong dou du duan dui dun duo e ei en eng er fa fan fang fei fen feng fiao fo fou \
    fu ga gai gan gang gao ge gei gen geng gong gou gu gua guai guan guang gui gun guo ha hai han hang hao \
    he hei hen heng hong hou hu hua huai huan huang hui hun huo ji jia jian jiang jiao jie jin jing jiong \
    jiu ju juan jue jun ka kai kan kang kao ke ken keng kong kou ku kua kuai kuan kuang kui kun kuo la lai \
    lan lang lao le lei leng li lia lian liang liao lie lin ling liu lo long lou lu luan lun luo lv lve ma \
    mai man mang mao me mei men meng mi mian miao mie min ming miu mo mou mu na nai nan nang nao ne nei nen \
    neng ni nian niang niao nie nin ning niu nong nou nu nuan nun nuo nv nve o ou pa pai pan pang pao pei \
    pen peng pi pian piao pie pin ping po pou pu qi qia qian qiang qiao qie qin qing qiong qiu qu quan que \
    qun ran rang rao re ren reng ri rong rou ru rua ruan rui run ruo sa sai san sang sao se sen seng sha \
    shai shan shang shao she shei shen sheng shi shou shu shua shuai shuan shuang shui shun shuo si song sou \
    su suan sui sun suo ta tai tan tang tao te teng ti tian tiao tie ting tong tou tu tuan tui tun tuo wa \
    wai wan wang wei wen weng wo wong wu xi xia xian xiang xiao xie xin xing xiong xiu xu xuan xue xun ya \
    yan yang yao ye yi yin ying yo yong you yu yuan yue yun za zai zan zang zao ze zei zen zeng zha zhai \
    zhan zhang zhao zhe zhen zheng zhi zhong zhou zhu zhua zhuai zhuan zhuang zhui zhun zhuo zi zong zou zu \
    zuan zui zun zuo";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_words_and_latin() {
        for (name, spelled, first) in [
            ("张三", "zhangsan", "zs"),
            ("重庆银行", "chongqingyinhang", "cqyh"),
            ("广州天江科技有限公司", "guangzhoutianjiangkejiyouxiangongsi", "gztjkjyxgs"),
            ("吕布", "lvbu", "lb"),
            ("略阳", "lveyang", "ly"),
            ("3M中国", "3mzhongguo", "3mzg"),
            ("ＡＢ公司", "abgongsi", "abgs"),
            ("長沙銀行", "changshayinhang", "csyh"),
            ("乾隆", "qianlong", "ql"),
            ("約翰·史密斯", "yuehanshimisi", "yhsms"),
            ("六安市乐清县铅山县", "luanshiyueqingxianyanshanxian", "lasyqxysx"),
            ("厦门 蚌埠 台州 长春", "xiamenbengbutaizhouchangchun", "xmbbtzcc"),
            ("张", "zhang", "z"),
            ("", "", ""),
            ("!?🙂", "", ""),
        ] {
            assert_eq!(full(name), spelled, "{name}");
            assert_eq!(initials(name), first, "{name}");
        }
    }

    /// The 38 family names behind `zhsearch.surnames` in the expected figures, and the compound ones.
    #[test]
    fn reads_family_names() {
        for (name, surname) in [
            ("单雄信", "shan"),
            ("仇英", "qiu"),
            ("曾国藩", "zeng"),
            ("解缙", "xie"),
            ("查良镛", "zha"),
            ("区寄", "ou"),
            ("朴正熙", "piao"),
            ("翟志刚", "zhai"),
            ("缪昌期", "miao"),
            ("繁钦", "po"),
            ("种师道", "chong"),
            ("员半千", "yun"),
            ("折德扆", "she"),
            ("召平", "shao"),
            ("秘宜", "bi"),
            ("盖叫天", "ge"),
            ("洗夫人", "xian"),
            ("尉迟恭", "yuchi"),
            ("万俟卨", "moqi"),
            ("澹台灭明", "tantai"),
            ("长孙无忌", "zhangsun"),
            ("单于夫罗", "chanyu"),
            ("令狐冲", "linghu"),
            ("乐毅", "yue"),
            ("任正非", "ren"),
            ("华佗", "hua"),
            ("覃辉", "qin"),
            ("谌容", "chen"),
            ("宓子贱", "mi"),
            ("褚遂良", "chu"),
            ("郗鉴", "xi"),
            ("逄蒙", "pang"),
            ("佘太君", "she"),
            ("贾宝玉", "jia"),
            ("费孝通", "fei"),
            ("薄熙来", "bo"),
            ("宁浩", "ning"),
            ("纪晓岚", "ji"),
            ("冼星海", "xian"),
            ("燕青", "yan"),
            ("应采儿", "ying"),
            ("那英", "na"),
            ("撒贝宁", "sa"),
            ("黑纪瑞", "he"),
            ("祭遵", "zhai"),
            ("郇建立", "xun"),
            ("句践", "gou"),
            ("车晓", "che"),
            ("都杰", "du"),
            ("卜算子", "bu"),
            ("盛宣怀", "sheng"),
            ("柏杨", "bai"),
            ("石崇", "shi"),
            ("沈括", "shen"),
            ("葛优", "ge"),
            ("阚泽", "kan"),
            ("阙", "que"),
            ("殷桃", "yin"),
            ("單雄信", "shan"),
            ("乜小军", "nie"),
            ("炅小明", "gui"),
            ("吐谷浑", "tuyuhun"),
            ("乐正子", "yuezheng"),
            ("子车奄息", "ziju"),
            ("拓跋宏", "tuoba"),
        ] {
            assert!(full(name).starts_with(surname), "{name} is read {}", full(name));
        }
    }

    #[test]
    fn words_are_not_family_names() {
        assert_eq!(full("单位"), "danwei");
        assert_eq!(full("解放军"), "jiefangjun");
        assert_eq!(full("区域公司"), "quyugongsi");
        assert_eq!(full("查理"), "chali");
    }

    #[test]
    fn readings_of_polyphones_come_together() {
        assert_eq!(syllables("单"), [["dan", "shan", "chan"]]);
        assert_eq!(syllables("单立")[0], ["shan", "dan"]);
        assert_eq!(syllables("a"), [Vec::<&str>::new()]);
    }

    #[test]
    fn knows_where_a_family_name_ends() {
        for (name, len) in
            [("张三", 1), ("欧阳修", 2), ("欧阳", 1), ("司马相如", 2), ("吐谷浑阿", 3), ("Bob", 0), ("", 0)]
        {
            assert_eq!(surname_len(name), len, "{name}");
        }
    }

    #[test]
    fn tables_hold_only_known_syllables() {
        let tables = &*TABLES;
        for entry in &tables.entries {
            let words = entry.words.iter().chain(&entry.surnames);
            for word in words.inspect(|w| assert_eq!(w.chars.len(), w.readings.len(), "{:?}", w.chars)) {
                for reading in word.readings.iter().flatten() {
                    assert!(SYLLABLES.binary_search(reading).is_ok(), "{:?} {reading}", word.chars);
                }
            }
            for reading in &entry.readings {
                assert!(SYLLABLES.binary_search(reading).is_ok(), "{reading}");
            }
        }
        for c in '\u{3400}'..='\u{9fff}' {
            for reading in read(&[c])[0].iter() {
                assert!(reading.bytes().all(|b| b.is_ascii_lowercase()), "{c} {reading}");
            }
        }
    }

    #[test]
    fn reads_the_names_of_the_sample_as_they_are_said() {
        for (name, pinyin) in crate::samples::NAMES.lines().skip(1).filter_map(|line| line.split_once('\t')) {
            assert_eq!(full(name), pinyin.replace(' ', ""), "{name}");
        }
    }

    /// At least 99.5 % of the names are read as pypinyin reads them; names the family name table speaks for are apart.
    #[test]
    fn agrees_with_pypinyin() {
        let (mut seen, mut other) = (0_u32, 0_u32);
        for file in ["person_names.tsv", "org_names.tsv"] {
            let Some(table) = crate::samples::large(file) else { return };
            for line in table.lines().skip(1) {
                let fields: Vec<&str> = line.split('\t').collect();
                let chars: Vec<char> = fields[0].chars().collect();
                seen += 1;
                let is_other = full(fields[0]) != fields[2].replace(' ', "");
                other += u32::from(is_other && surname_of(&TABLES, &chars).is_none());
            }
        }
        println!("{other} of {seen} names are read otherwise");
        assert!(f64::from(other) <= f64::from(seen) * 0.005, "{other} of {seen}");
    }
}
