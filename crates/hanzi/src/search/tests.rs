use std::collections::BTreeSet;

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::readings;

/// An FTS5 table as the application makes it; rowids are places in the list.
struct Index(Connection);

impl Index {
    fn of(documents: impl IntoIterator<Item = Document>) -> Self {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE VIRTUAL TABLE search USING fts5(tokens, content='', contentless_delete=1, prefix='1 2', \
             tokenize=\"unicode61 remove_diacritics 0 tokenchars '_^'\"); BEGIN",
        )
        .unwrap();
        for (row, document) in (0_i64..).zip(documents) {
            db.execute("INSERT INTO search (rowid, tokens) VALUES ($1, $2)", (row, document.fts5())).unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
        Self(db)
    }

    fn names(names: &[&str]) -> Self {
        Self::of(names.iter().map(|name| Document::new().piece(name)))
    }

    fn rows(&self, query: Option<String>) -> BTreeSet<usize> {
        let Some(query) = query else { return BTreeSet::new() };
        let mut found = self.0.prepare_cached("SELECT rowid FROM search WHERE search MATCH $1").unwrap();
        let rows = found.query_map([&query], |row| row.get::<_, i64>(0)).unwrap();
        rows.map(|row| usize::try_from(row.unwrap_or_else(|e| panic!("{query}: {e}"))).unwrap()).collect()
    }

    fn find(&self, query: &str) -> BTreeSet<usize> {
        self.rows(plan(query).fts5())
    }

    fn begins(&self, query: &str) -> BTreeSet<usize> {
        self.rows(plan(query).fts5_anchored())
    }
}

fn finds(text: &str, query: &str) -> bool {
    !Index::names(&[text]).find(query).is_empty()
}

#[test]
fn tags_narrow_and_are_never_typed() {
    let tagged = [("张三", "o1"), ("张四", "o2"), ("奥一", "o2")];
    let index = Index::of(tagged.map(|(name, tag)| Document::new().piece(name).tag(tag)));
    let within = |query: &str, tags: &[&str]| {
        let tags: Vec<String> = tags.iter().map(|t| (*t).to_owned()).collect();
        index.rows(plan(query).tagged(&tags).fts5())
    };
    assert_eq!(within("张", &["o1"]), [0].into());
    assert_eq!(within("z", &["o1", "o2"]), [0, 1].into());
    assert_eq!(within("zhang", &["o3"]), BTreeSet::new());
    assert_eq!(within("张", &[]), BTreeSet::new());
    assert_eq!(index.rows(plan("奥").tagged(&["o2".to_owned()]).fts5_anchored()), [2].into());
    for typed in ["o1", "o2", "^^o1", "^", "1", "2"] {
        assert_eq!(index.find(typed), BTreeSet::new(), "{typed}");
        assert_eq!(index.begins(typed), BTreeSet::new(), "{typed}");
    }
    // One letter is the beginning of a sound, here of 奥, and not of a tag.
    assert_eq!(index.find("o"), BTreeSet::new());
    assert_eq!(index.find("a"), [2].into());
    let plan = plan("张").tagged(&["o1".to_owned(), "u2".to_owned()]);
    assert_eq!(plan.tsquery().unwrap(), "(('张':*) & (('^^o1') | ('^^u2')))");
    assert!(Document::new().piece("张").tag("o1").tsvector().contains("'^^o1'"));
}

#[test]
fn what_equals_a_piece_is_told_from_what_begins_like_it() {
    let names =
        ["天江", "天江科技", "天江 8 号", "粤A·12345", "粤A123456", "138-1234-5678", "13812345678转8"];
    let index = Index::of(names.map(|name| Document::new().piece("另一个名称").piece(name)));
    let whole = |query: &str| index.rows(plan(query).fts5_whole());
    for (query, rows) in [
        ("天江", vec![0]),
        ("天 江", vec![0]),
        ("天江8号", vec![2]),
        ("粤a12345", vec![3]),
        ("13812345678", vec![5]),
        ("+86 138 1234 5678", vec![5]),
        ("天", vec![]),
        ("tianjiang", vec![]),
        ("^^_天江", vec![0]),
        ("", vec![]),
    ] {
        assert_eq!(whole(query), rows.into_iter().collect(), "{query}");
    }
    assert_eq!(plan("天江").tsquery_whole().unwrap(), "('^^_天江')");
    assert_eq!(plan("　").fts5_whole(), None);
    // Long texts are not typed whole, and notes are no names.
    let long = Document::new().piece(&"天".repeat(65)).text("天江").fts5();
    assert!(!long.contains("^^_"), "{long}");
}

#[test]
fn finds_what_people_type() {
    for (text, queries) in [
        (
            "广州天江科技有限公司",
            "天 天江 江科技 广州天江科技有限公司 公司 司 guangzhou guangzhoutianj gztj tjkj gztjkjyxgs g tian 天江keji \
             天江kj tianjiang科技 tianj科技 天j 廣州天江 ＧＺ guangztj gztianj gzhoutj guangzhoutjkj tjiangkeji \
             gztjiangk 广zhoutj guangz天jiang",
        ),
        ("张三", "张 张三 三 zhangsan zhangs zhang zs z san s zhang三 张s 张san zhan ZhangSan zhang'san"),
        ("單雄信", "单雄信 shan dan shanxiongxin danxiongxin sxx dxx 单x 單"),
        ("重庆长行汽车有限公司", "chongqing cqcx chongqingchanghang 重q 重庆长"),
        ("约翰·史密斯", "约翰史密斯 翰史 约翰·史 yuehanshi yhs"),
        ("粤A12345", "粤 粤A 粤A123 粤a12345 a123 2345 12345 345"),
        ("粤B·D12345", "粤BD123 粤b·d1 2345"),
        ("13812345678", "138 1381234 13812345678 5678 45678 138-1234-5678 +8613812345678"),
        ("138-1234-5678", "13812345678 1381234 5678 138-1234 138"),
        ("+86 138 1234 5678", "13812345678 138 5678"),
        ("020-87654321转12", "02087654321 87654321 020 4321 8765"),
        ("LSVAU2180N2183294", "lsvau 3294 LSVAU2180N2183294 lsv 183294"),
        ("zhang.san@example.com", "zhang zhang.san zhang.san@ex example example.com"),
        ("3M中国有限公司", "3m 3M中国 3mzg 中国"),
        ("王𬭎鿍", "𬭎 王𬭎 𬭎鿍 鿍 wang"),
        ("吕略", "lvlve lyulue lue 吕 lv ll"),
        ("Ⓐ级Çağ", "级 çağ"),
        ("张三(李四)", "张三(李四) 李四) 四 (张三 lisi zs"),
        ("西安", "xian xi'an xa"),
    ] {
        for query in queries.split_whitespace() {
            assert!(finds(text, query), "{query} does not find {text}: {:?}", plan(query).fts5());
            let is_tail_or_international = query.starts_with('+');
            assert!(is_tail_or_international || score(query, text).is_some(), "{query} does not fit {text}");
        }
    }
    assert!(finds("138-1234-5678", "138 1234 5678"));
    assert!(finds("13812345678", "138 1234 5678"));
}

#[test]
fn leaves_out_what_does_not_match() {
    for (text, queries) in [
        ("张三 李四", "三李 张李 zhangsi zl 张x 张sx zhangl zsanx"),
        (
            "广州天江科技有限公司",
            "江天 天科 gzkj tianke guangzhouk 天江jk guangtj gangztj guangzhouwj gztiank",
        ),
        ("13812345678", "5679 1382 2345678901"),
    ] {
        for query in queries.split_whitespace() {
            assert!(!finds(text, query), "{query} finds {text}: {:?}", plan(query).fts5());
        }
    }
    // Phrases do not cross pieces, whatever the sections between them.
    let document = Document::new().piece("张三").piece("李四").text("广州").piece("13812345678");
    let index = Index::of([document]);
    for query in ["三李", "四广", "zhangsanli", "zhangsanlisi", "zsls", "sl", "张三李四", "三zhang", "州138"]
    {
        assert!(index.find(query).is_empty(), "{query}");
    }
    for query in ["张三 李四", "lisi 5678 广", "zs ls 138", "四 三"] {
        assert_eq!(index.find(query).len(), 1, "{query}");
    }
}

#[test]
fn anchored_means_a_piece_begins_with_it() {
    let index = Index::names(&["张三", "老张三", "张三丰", "王张", "粤A12345", "zs公司", "3M中国"]);
    for (query, rows) in [
        ("张", &[0, 2][..]),
        ("张三", &[0, 2]),
        ("张三丰", &[2]),
        ("三", &[]),
        ("zs", &[0, 2, 5]),
        ("zhangs", &[0, 2]),
        ("zhang", &[0, 2]),
        ("z", &[0, 2, 5]),
        ("z三", &[0, 2]),
        ("张s", &[0, 2]),
        ("zsan", &[0, 2]),
        ("zsanf", &[2]),
        ("张 三", &[0, 2]),
        ("粤A1", &[4]),
        ("2345", &[]),
        ("3m中", &[6]),
    ] {
        let found = index.begins(query);
        let all = index.find(query);
        assert!(found.is_subset(&all), "{query}");
        let rows: BTreeSet<usize> = rows.iter().copied().collect();
        // A mixed query anchors the Chinese part only where it comes first.
        assert_eq!(found, rows, "{query}: {:?}", plan(query).fts5_anchored());
    }
}

#[test]
fn nothing_searchable_is_no_query() {
    for query in ["", "   ", "\"", "()*:^-+", "''", "_ ^", "🙂", "\0"] {
        let plan = plan(query);
        assert_eq!(
            (plan.fts5(), plan.tsquery(), plan.fts5_anchored(), plan.tsquery_anchored()),
            Default::default()
        );
        assert_eq!(score(query, "张三"), None);
        assert!(highlight(query, "张三").is_empty());
    }
    assert!(Document::new().piece(" ()").is_empty());
}

#[test]
fn writes_tsvector_and_tsquery() {
    assert_eq!(
        Document::new().piece("张三").piece("ab").tsvector(),
        "'^^_ab':11 '^^_张三':1 '^_zs':8 '^ab':12 '^zhang':5 '^张三':2 '_s':10 '_zs':9 'ab':13 'san':7 'zhang':6 '三':4 '张三':3"
    );
    assert_eq!(plan("张三丰").tsquery().unwrap(), "('张三' <-> '三丰')");
    assert_eq!(plan("张三丰").fts5_anchored().unwrap(), "\"^张三 张三 三丰\"");
    assert_eq!(plan("张").tsquery().unwrap(), "('张':*)");
    assert_eq!(plan("zs").tsquery().unwrap(), "(('zs':*) | ('_zs'))");
    assert_eq!(plan("张 5678").fts5().unwrap(), "(\"张\" * AND (\"5678\" * OR \"_^8765\" *))");
}

#[test]
fn documents_are_bounded() {
    let long = "重庆长行乐".repeat(100_000);
    let document = Document::new().text(&long).piece(&long).piece("张三");
    assert!(document.fts5().len() < 100_000);
    assert!(Index::of([document]).find("张三").is_empty());
    for text in ["1 2".repeat(9_000), "ab12 ".repeat(9_000), "𬭎a".repeat(9_000), "单".repeat(9_000)] {
        let document = Document::new().piece(&text);
        assert!(document.tsvector().len() < 1 << 20);
        for positions in document.tsvector().split(' ').filter_map(|lexeme| lexeme.rsplit_once(':')) {
            assert!(positions.1.split(',').count() < 256);
            assert!(positions.1.split(',').all(|position| position.parse::<u32>().unwrap() <= 16_383));
        }
    }
    let plan = plan(&"a".repeat(100_000));
    assert!(plan.fts5().unwrap().len() < 10_000);
}

#[test]
fn ranks_closer_matches_first() {
    let ranked = ["张三", "张三丰", "老张三", "老张三丰"];
    let scores: Vec<_> = ranked.iter().map(|text| score("张三", text).unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
    assert!(score("zhangsan", "张三") > score("zs", "张三"));
    assert!(score("zs", "zs公司") > score("zs", "张三"));
    assert!(score("zs", "张三") > score("zs", "老张三"));
    assert_eq!(score("张三 李四", "张三"), None);
    assert_eq!(score("李四", "张三"), None);
    assert!(score("zsan", "张三").is_some());
    // What has the sounds in their places comes before what only has them.
    assert!(
        score("zsanf", "张三丰").is_some() && score("gztianj", "广州天江") > score("gztianj", "天国之天津")
    );
    let ways = |typed: &str| plan(typed).fts5().unwrap().len();
    // However it is cut, a long query stays one the engines answer.
    for typed in ["zhangzxianganenger".repeat(3), "xianxian".repeat(8), "zs".repeat(32), "ba".repeat(32)] {
        assert!(ways(&typed) < 10_000, "{typed}: {}", ways(&typed));
    }
}

#[test]
fn highlights_bytes_of_the_match() {
    for (query, text, parts) in [
        ("天江", "广州天江科技", &["天江"][..]),
        ("张", "张三和张四", &["张", "张"]),
        ("zhangsan", "客户张三丰", &["张三"]),
        ("zs", "客户张三丰", &["张三"]),
        ("zhang三", "张三丰", &["张三"]),
        ("翰史", "约翰·史密斯", &["翰·史"]),
        ("5678", "138-1234-5678", &["5678"]),
        ("12345678", "138-1234-5678", &["1234-5678"]),
        ("張三 ABC", "张三（ＡＢＣ）", &["张三", "ＡＢＣ"]),
        ("天江 江科", "天江科技", &["天江科"]),
        ("王", "张三", &[]),
    ] {
        let found: Vec<&str> = highlight(query, text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, parts, "{query}");
    }
}

#[test]
fn every_reading_of_a_family_name_is_found() {
    for name in [
        "单立人",
        "曾志伟",
        "仇英",
        "查良镛",
        "朴正熙",
        "解缙",
        "区瑞强",
        "尉迟恭",
        "翟天临",
        "盖叫天",
        "乐毅",
    ] {
        let first = readings::syllables(name).into_iter().next().unwrap();
        for reading in first {
            assert!(finds(name, reading), "{name} by {reading}");
            assert!(finds(name, &reading[..1]), "{name} by {}", &reading[..1]);
        }
    }
}

fn names_of(table: &str) -> impl Iterator<Item = String> {
    table.lines().skip(1).map(|line| line.split('\t').next().unwrap().to_owned())
}

#[test]
fn equals_brute_force_on_the_sample() {
    equals_brute_force(&names_of(crate::samples::NAMES).collect::<Vec<_>>(), 1);
}

#[test]
fn equals_brute_force_on_real_names() {
    let mut names = Vec::new();
    for file in ["person_names.tsv", "org_names.tsv"] {
        let Some(table) = crate::samples::large(file) else { return };
        names.extend(names_of(&table).step_by(9));
    }
    equals_brute_force(&names, 29);
}

/// Substrings of one to four characters find exactly the names that contain them; pinyin and initials find the name.
fn equals_brute_force(names: &[String], step: usize) {
    let index = Index::names(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let folded: Vec<String> = names.iter().map(|name| fold::text(name)).collect();
    for (row, name) in names.iter().enumerate().step_by(step) {
        let chars: Vec<char> = name.chars().collect();
        for len in 1..=4.min(chars.len()) {
            for part in chars.windows(len) {
                let part: String = part.iter().collect();
                let needle = fold::text(&part);
                let expected: BTreeSet<usize> =
                    (0..names.len()).filter(|&row| folded[row].contains(&needle)).collect();
                assert_eq!(index.find(&part), expected, "{part}");
                let begins = (0..names.len()).filter(|&row| folded[row].starts_with(&needle)).collect();
                assert_eq!(index.begins(&part), begins, "^{part}");
            }
        }
        for query in [readings::full(name), readings::initials(name)] {
            let query = query.chars().take(64).collect::<String>();
            assert!(index.find(&query).contains(&row), "{query} does not find {name}");
            assert!(index.begins(&query).contains(&row), "^{query} does not find {name}");
            assert!(score(&query, name).is_some(), "{query} does not fit {name}");
        }
    }
}

/// Only operators, and quoted tokens of harmless letters between them.
fn is_safe_tsquery(query: &str) -> bool {
    query.split('\'').enumerate().all(|(i, part)| {
        if i % 2 == 0 {
            part.chars().all(|c| " ()&|<->:*".contains(c))
        } else {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_^".contains(c))
        }
    }) && query.matches('\'').count().is_multiple_of(2)
        && query.matches('(').count() == query.matches(')').count()
}

fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9张三重行\"'*^(): _+\\-·]{0,70}",
        "(AND|OR|NOT|NEAR|tokens|[a-zA-Z\"*(){}:^,.+-]|[一-龥]| ){0,20}",
        "[一-龥a-z]{1,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_query_breaks_the_engines(query in typed()) {
        let index = Index::names(&["张三"]);
        let plan = plan(&query);
        index.rows(plan.fts5());
        index.rows(plan.fts5_anchored());
        prop_assert_eq!(plan.fts5().is_some(), plan.tsquery().is_some());
        for query in [plan.tsquery(), plan.tsquery_anchored()].into_iter().flatten() {
            prop_assert!(is_safe_tsquery(&query), "{}", query);
        }
    }

    #[test]
    fn a_text_is_found_by_its_own_words(text in typed()) {
        let index = Index::names(&[&text]);
        for word in text.split_whitespace().take(5) {
            let word: String = word.chars().take(60).collect();
            let is_searchable = plan(&word).fts5().is_some();
            prop_assert!(!is_searchable || !index.find(&word).is_empty() || text.chars().count() > 60,
                "{:?} does not find {:?}", word, text);
            prop_assert!(!is_searchable || score(&word, &text).is_some());
        }
    }

    #[test]
    fn tsvector_is_quoted_and_bounded(text in typed()) {
        let literal = Document::new().piece(&text).text(&text).tsvector();
        for lexeme in literal.split(' ').filter(|lexeme| !lexeme.is_empty()) {
            let (token, positions) = lexeme.rsplit_once(':').unwrap();
            let token = token.strip_prefix('\'').and_then(|token| token.strip_suffix('\'')).unwrap();
            prop_assert!(token.chars().all(|c| c.is_alphanumeric() || "_^".contains(c)), "{}", token);
            prop_assert!(token.len() < 2_046);
            prop_assert!(positions.split(',').all(|position| position.parse::<u32>().is_ok()));
        }
    }

    #[test]
    fn highlights_lie_on_characters(query in typed(), text in typed()) {
        for range in highlight(&query, &text) {
            prop_assert!(text.get(range.clone()).is_some_and(|part| !part.is_empty()));
        }
    }
}
