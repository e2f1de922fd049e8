//! One typo in a shipped regulation is told once, where it stands, and not again wherever something follows from it.

use policy::SourceFile;

mod support;

use support::{shipped, vocabulary};

/// What is told of a shipped policy with these texts put in place of others, each in its file.
fn told(policy: &str, changes: &[(&str, &str, &str)]) -> Vec<String> {
    let (_, mut files) = shipped().into_iter().find(|(name, _)| name == policy).expect("shipped");
    for (name, from, to) in changes {
        let file: &mut SourceFile = files.iter_mut().find(|file| file.name == *name).expect("a file");
        assert!(file.text.contains(from), "{name}: {from}");
        file.text = file.text.replacen(from, to, 1);
    }
    let checked = policy::check(&files, &Default::default(), &vocabulary());
    checked.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// Exactly these are told, in the order of files and lines.
fn is_told(policy: &str, changes: &[(&str, &str, &str)], says: &[&str]) {
    let told = told(policy, changes);
    let fits = told.len() == says.len() && told.iter().zip(says).all(|(told, says)| told.contains(says));
    assert!(fits, "{changes:?}\n{says:#?}\n{told:#?}");
}

#[test]
fn a_misspelt_key_is_told_once_and_read_as_what_was_meant() {
    for policy in ["repair", "retail-complaints", "vip-customers"] {
        for (file, from, to, says) in [
            ("process.toml", "title = ", "tilte = ", "不认识“tilte”，是不是“title”？"),
            ("process.toml", "clause = ", "calus = ", "不认识“calus”，是不是“clause”？"),
            ("process.toml", "next = ", "goto = ", "不认识“goto”；这里可以写：id、"),
            ("process.toml", "[[step]]", "[[stpe]]", "不认识“stpe”，是不是“step”？"),
            ("process.toml", "[[step]]", "[step]", "[step] 写了两次"),
            ("process.toml", "[step.approve]", "[step.aprove]", "不认识“aprove”，是不是“approve”？"),
            ("process.toml", "[step.approve]", "[[step.approve]]", "[[step.approve]] 只能写一个"),
            ("forms.toml", "title = ", "tilte = ", "不认识“tilte”，是不是“title”？"),
            ("forms.toml", "[[form.field]]", "[[form.feld]]", "不认识“feld”，是不是“field”？"),
            ("forms.toml", "options = ", "choices = ", "不认识“choices”；这里可以写：id、"),
            ("reports.toml", "[[metric]]", "[[mertic]]", "不认识“mertic”，是不是“metric”？"),
        ] {
            let told = told(policy, &[(file, from, to)]);
            // A header in single brackets is told where the next one in double brackets is.
            let is_one = told.len() == 1 && (told[0].contains(says) || from == "[[step]]");
            assert!(is_one, "{policy}/{file} {to}: {told:#?}");
        }
    }
    is_told("repair", &[("process.toml", "by = ", "by = 3 #")], &["“by”的类型不对：要写文字"]);
    is_told(
        "vip-customers",
        &[("process.toml", "[[step.action]]", "[[step.actoin]]")],
        &["不认识“actoin”，是不是“action”？", "前面没有“action”的表头"],
    );
}

#[test]
fn what_could_not_be_read_is_not_told_again_where_it_is_used() {
    for policy in ["repair", "retail-complaints", "vip-customers"] {
        for (file, from, to, says) in [
            ("forms.toml", "title = \"", "title = “", "这里用了全角标点（中文引号）"),
            ("process.toml", "title = \"", "title ＝ \"", "这里用了全角标点“＝”"),
            ("clauses.toml", "text = ", "text = = ", "多了一个等号"),
            ("policy.toml", "[[setting]]\n", "[[setting]\n", "表头的方括号没有闭合，要写成 [[setting]]"),
        ] {
            is_told(policy, &[(file, from, to)], &[says]);
        }
        // A part that lacks something goes as a whole; the others are read.
        let lacks = [("forms.toml", "type = ", "sort = ")];
        is_told(policy, &lacks, &["[[form.field]] 缺少“type”", "不认识“sort”；这里可以写"]);
        let lacks = [("clauses.toml", "text = ", "words = ")];
        is_told(policy, &lacks, &["[[clause]] 缺少“text”", "不认识“words”；这里可以写"]);
    }
}

#[test]
fn a_name_that_is_not_known_is_told_in_the_first_place_with_the_number_of_the_others() {
    let renamed = |file: &'static str, from: &'static str, to: &'static str, says: &str| {
        is_told("repair", &[(file, from, to)], &[says]);
        let told = told("repair", &[(file, from, to)]);
        assert!(told[0].contains("（另外还有 "), "{told:#?}");
    };
    renamed("forms.toml", "id = \"slip\"", "id = \"slpi\"", "没有表单“slip”；是不是“slpi”？");
    renamed("forms.toml", "id = \"office\"", "id = \"offcie\"", "“office”");
    renamed("process.toml", "id = \"visit\"", "id = \"vist\"", "“visit”");
    renamed(
        "policy.toml",
        "[[role]]\nid = \"front-desk\"",
        "[[role]]\nid = \"frontdesk\"",
        "没有叫“front-desk”的角色",
    );
    // Something is told even where the step that is lost is called as the form that is not known.
    let change = [("process.toml", "id = \"appoint\"\nform = \"slip\"", "id = \"slpi\"\nform = \"slpi\"")];
    is_told("repair", &change, &["没有表单“slpi”"]);
    // In a single place it is told as before.
    let once = told("repair", &[("process.toml", "clause = \"", "clause = \"no-such-")]);
    assert!(
        once.len() == 1 && once[0].contains("没有条款“no-such-") && !once[0].contains("另外"),
        "{once:#?}"
    );
}

#[test]
fn words_of_the_format_that_are_not_known_draw_nothing_behind_them() {
    for (file, from, to, says) in [
        ("process.toml", "kind = \"end\"", "kind = \"edn\"", "“edn”不认识"),
        (
            "process.toml",
            "[[step]]\nid = \"appoint\"\nform = \"slip\"",
            "[[step]]\nid = \"appoint\"\nform = \"slpi\"",
            "没有表单“slpi”",
        ),
        ("forms.toml", "type = \"choice\"", "type = \"chioce\"", "“chioce”不认识"),
        ("forms.toml", "type = \"money\"", "type = \"mony\"", "“mony”不认识"),
        ("forms.toml", "type = \"lines\"", "type = \"line\"", "“line”不认识"),
        ("policy.toml", "type = \"within\"", "type = \"witin\"", "“witin”不认识"),
        ("policy.toml", "default = ", "default = [] #", "的默认值不是"),
    ] {
        is_told("repair", &[(file, from, to)], &[says]);
    }
}

#[test]
fn faults_of_their_own_are_all_told() {
    is_told(
        "repair",
        &[
            ("clauses.toml", "title = ", "tilte = "),
            ("forms.toml", "title = ", "titel = "),
            ("forms.toml", "help = ", "hlep = "),
            ("process.toml", "kind = \"end\"", "kind = \"edn\""),
            ("process.toml", "help = ", "help = 1 #"),
            ("reports.toml", "clause = \"", "clause = \"no-such-"),
        ],
        &["“tilte”", "“titel”", "“hlep”", "“help”的类型不对", "“edn”不认识", "没有条款“no-such-"],
    );
    // A form that cannot be read hides what is wrong with its steps, not what is wrong elsewhere.
    is_told(
        "repair",
        &[("forms.toml", "by = ", "who = "), ("clauses.toml", "title = ", "tilte = ")],
        &["“tilte”", "[[form]] 缺少“by”", "不认识“who”"],
    );
}
