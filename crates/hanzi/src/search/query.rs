//! The query side: what was typed, as an expression over the tokens of [`super::Document`].

use super::{
    Glyph, glyphs, has_digit, initial_tokens, joined_numbers, literal_tokens, runs, spelled, tag_token,
    tail_token, whole_number_token, whole_token,
};
use crate::readings;

/// Characters of a query that are looked at.
pub(super) const QUERY_LIMIT: usize = 64;
/// Words of a query that are looked at.
const WORD_COUNT_LIMIT: usize = 8;
/// Ways to cut typed letters into syllables that are tried.
const SPLIT_LIMIT: usize = 8;

/// Steps taken to find ways to cut letters into syllables and initials.
const MIXED_STEPS: usize = 2_000;

/// A planned query. The texts are complete and safe: everything typed has been cut down to letters and digits.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    anywhere: Option<Expr>,
    anchored: Option<Expr>,
    whole: Option<Expr>,
}

/// Plans a query. Words separated by spaces must all be found. `None` from every method means that nothing in it is
/// searchable; at most 64 characters and 8 words are looked at.
pub fn plan(query: &str) -> Plan {
    let query: String = query.chars().take(QUERY_LIMIT).collect();
    let words: Vec<&str> = query.split_whitespace().take(WORD_COUNT_LIMIT).collect();
    Plan {
        anywhere: whole(&query, &words, false),
        anchored: whole(&query, &words, true),
        whole: equal(&query),
    }
}

impl Plan {
    /// The right side of FTS5's `MATCH`, to be bound as a parameter.
    pub fn fts5(&self) -> Option<String> {
        self.anywhere.as_ref().map(Expr::fts5)
    }

    /// Text to be bound and cast to `tsquery`.
    pub fn tsquery(&self) -> Option<String> {
        self.anywhere.as_ref().map(Expr::tsquery)
    }

    /// Narrowed to records with at least one of these tags ([`super::Document::tag`]); without any it finds nothing.
    #[must_use]
    pub fn tagged(self, names: &[String]) -> Plan {
        let any = Expr::of(
            Expr::Any,
            names.iter().filter_map(|name| Expr::phrase(vec![tag_token(name)], false, false)),
        );
        let narrowed = |expr: Option<Expr>| Some(Expr::All(vec![expr?, any.clone()?]));
        Plan {
            anywhere: narrowed(self.anywhere),
            anchored: narrowed(self.anchored),
            whole: narrowed(self.whole),
        }
    }

    /// As [`Self::fts5`], for records with a piece that begins with the first word: a subset, to be listed first.
    pub fn fts5_anchored(&self) -> Option<String> {
        self.anchored.as_ref().map(Expr::fts5)
    }

    /// As [`Self::tsquery`], for records with a piece that begins with the first word.
    pub fn tsquery_anchored(&self) -> Option<String> {
        self.anchored.as_ref().map(Expr::tsquery)
    }

    /// As [`Self::fts5`], for records with a piece that is what was typed, apart from spaces, case, width and script.
    pub fn fts5_whole(&self) -> Option<String> {
        self.whole.as_ref().map(Expr::fts5)
    }

    /// As [`Self::tsquery`], for records with a piece that is what was typed.
    pub fn tsquery_whole(&self) -> Option<String> {
        self.whole.as_ref().map(Expr::tsquery)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Expr {
    /// Tokens one after the other; the last may be the beginning of a longer one.
    Phrase {
        tokens: Vec<String>,
        is_prefix: bool,
    },
    All(Vec<Expr>),
    Any(Vec<Expr>),
}

impl Expr {
    /// `None` for nothing, the thing itself for one, duplicates dropped.
    fn of(join: fn(Vec<Expr>) -> Expr, parts: impl IntoIterator<Item = Expr>) -> Option<Expr> {
        let mut distinct: Vec<Expr> = Vec::new();
        for part in parts {
            if !distinct.contains(&part) {
                distinct.push(part);
            }
        }
        if distinct.len() > 1 { Some(join(distinct)) } else { distinct.pop() }
    }

    fn phrase(mut tokens: Vec<String>, is_prefix: bool, is_anchored: bool) -> Option<Expr> {
        let first = tokens.first_mut()?;
        if is_anchored {
            let anchor = format!("^{first}");
            if tokens.len() == 1 {
                tokens[0] = anchor;
            } else {
                tokens.insert(0, anchor);
            }
        }
        Some(Expr::Phrase { tokens, is_prefix })
    }

    fn fts5(&self) -> String {
        match self {
            Expr::Phrase { tokens, is_prefix } => {
                format!("\"{}\"{}", tokens.join(" "), if *is_prefix { " *" } else { "" })
            }
            Expr::All(parts) => format!("({})", joined(parts, " AND ", Expr::fts5)),
            Expr::Any(parts) => format!("({})", joined(parts, " OR ", Expr::fts5)),
        }
    }

    fn tsquery(&self) -> String {
        match self {
            Expr::Phrase { tokens, is_prefix } => {
                let quoted: Vec<String> = tokens.iter().map(|token| format!("'{token}'")).collect();
                format!("({}{})", quoted.join(" <-> "), if *is_prefix { ":*" } else { "" })
            }
            Expr::All(parts) => format!("({})", joined(parts, " & ", Expr::tsquery)),
            Expr::Any(parts) => format!("({})", joined(parts, " | ", Expr::tsquery)),
        }
    }
}

fn joined(parts: &[Expr], by: &str, render: fn(&Expr) -> String) -> String {
    parts.iter().map(render).collect::<Vec<_>>().join(by)
}

/// What was typed as a whole piece, and as the one number that it is.
fn equal(query: &str) -> Option<Expr> {
    let typed = glyphs(query, QUERY_LIMIT);
    let is_number = typed.iter().all(|glyph| glyph.folded.is_ascii_digit());
    let numbers = joined_numbers(&typed, query).into_iter().filter(|_| is_number);
    let tokens = whole_token(&typed).into_iter().chain(numbers.map(|number| whole_number_token(&number)));
    Expr::of(Expr::Any, tokens.filter_map(|token| Expr::phrase(vec![token], false, false)))
}

fn whole(query: &str, words: &[&str], is_anchored: bool) -> Option<Expr> {
    let mut anchor_due = is_anchored;
    let mut parts = Vec::new();
    for word in words {
        let typed = glyphs(word, QUERY_LIMIT);
        if typed.is_empty() {
            continue;
        }
        // An anchored plan that cannot anchor its first word finds nothing rather than everything.
        parts.push(word_expr(word, &typed, anchor_due)?);
        anchor_due = false;
    }
    let all = Expr::of(Expr::All, parts);

    // 138 1234 5678 typed with spaces is one number.
    let typed = glyphs(query, QUERY_LIMIT);
    if words.len() > 1 && typed.iter().all(|glyph| glyph.folded.is_ascii_digit()) {
        let numbers =
            joined_numbers(&typed, query).into_iter().flat_map(|number| number_exprs(number, is_anchored));
        return Expr::of(Expr::Any, numbers.chain(all).collect::<Vec<_>>());
    }
    all
}

fn word_expr(word: &str, typed: &[Glyph], is_anchored: bool) -> Option<Expr> {
    let parts: Vec<&[Glyph]> = runs(typed).collect();
    let literal = literal_expr(&parts, is_anchored);
    let is_latin = |run: &&[Glyph]| run.iter().any(|glyph| glyph.folded.is_ascii_alphabetic());

    if let [run] = parts[..] {
        if run[0].is_han() {
            return literal;
        }
        let letters = spelled(run);
        let mut any: Vec<Expr> = literal.into_iter().collect();
        if letters.len() >= 3 && has_digit(&letters) && letters.is_ascii() && !is_anchored {
            any.extend(Expr::phrase(vec![tail_token(&letters)], true, false));
        }
        any.extend(
            joined_numbers(typed, word).into_iter().flat_map(|number| number_exprs(number, is_anchored)),
        );
        if is_latin(&run) && letters.is_ascii() {
            any.extend(sounds(&parts, is_anchored));
            // What can be read as syllables is: zhangsan is no z, h and 安.
            if splits(&letters, true).is_empty() {
                any.extend(mixed_sounds(&letters, is_anchored));
            }
        }
        return Expr::of(Expr::Any, any);
    }

    let is_letters = |run: &&[Glyph]| run.iter().all(|glyph| glyph.folded.is_ascii_alphabetic());
    let is_sound = parts.iter().all(|run| run[0].is_han() || is_letters(run)) && parts.iter().any(is_letters);
    if is_sound && typed.iter().skip(1).all(|glyph| !glyph.gap) {
        // The Chinese parts must be there as written; what was typed in letters may be writing or sound.
        let mut any: Vec<Expr> = literal.into_iter().chain(sounds(&parts, is_anchored)).collect();
        let (last, inner) = parts.split_last()?;
        let is_open = |run: &&[Glyph]| is_letters(run) && splits(&spelled(run), false).is_empty();
        let is_mixed = |run: &[Glyph]| {
            is_letters(&run)
                && splits(&spelled(run), true).is_empty()
                && !mixed_splits(&spelled(run)).is_empty()
        };
        if inner.iter().any(is_open) || is_mixed(last) {
            // tianj科技: a phrase cannot end a syllable open in its middle, nor mix sounds and initials (广zhoutj), so
            // the parts are looked for one by one.
            let alone = parts.iter().enumerate().filter(|(_, run)| is_letters(run));
            let alone = alone.filter_map(|(i, run)| word_expr(word, run, is_anchored && i == 0));
            any.extend(Expr::of(Expr::All, alone.collect::<Vec<_>>()));
        }
        let any = Expr::of(Expr::Any, any);
        let han = parts.iter().enumerate().filter(|(_, run)| run[0].is_han());
        let han = han.filter_map(|(i, run)| literal_expr(std::slice::from_ref(run), is_anchored && i == 0));
        return Expr::of(Expr::All, han.chain(any).collect::<Vec<_>>());
    }

    let numbers =
        joined_numbers(typed, word).into_iter().flat_map(|number| number_exprs(number, is_anchored));
    Expr::of(Expr::Any, literal.into_iter().chain(numbers))
}

fn number_exprs(number: String, is_anchored: bool) -> impl Iterator<Item = Expr> {
    let tail = if is_anchored { None } else { Expr::phrase(vec![tail_token(&number)], true, false) };
    Expr::phrase(vec![number], true, is_anchored).into_iter().chain(tail)
}

/// What was typed as it would stand in a text, the end open.
fn literal_expr(parts: &[&[Glyph]], is_anchored: bool) -> Option<Expr> {
    let mut tokens = Vec::new();
    parts.iter().for_each(|run| literal_tokens(run, &mut tokens));
    let last = parts.last()?;
    // Of 张三, the text has the pair; whether 三 is the last of its run is not known.
    let ends_in_pair = last[0].is_han() && last.len() > 1;
    if ends_in_pair {
        tokens.pop();
    }
    Expr::phrase(tokens, !ends_in_pair, is_anchored)
}

/// What was typed as pinyin and as initials. Chinese characters in between count by their sound.
fn sounds(parts: &[&[Glyph]], is_anchored: bool) -> Vec<Expr> {
    // Each way: syllables, initials. They are cut to `SPLIT_LIMIT` while they grow.
    let mut pinyin: Vec<Vec<String>> = vec![Vec::new()];
    let mut initials: Vec<Vec<char>> = vec![Vec::new()];
    for (i, run) in parts.iter().enumerate() {
        if run[0].is_han() {
            let original: Vec<char> = run.iter().map(|glyph| glyph.original).collect();
            for glyph in original {
                // One character at a time: a word table would fix readings that the rest of the name may change.
                let readings = readings::read(&[glyph]).pop().unwrap_or_default();
                pinyin = product(&pinyin, readings.iter().map(|r| vec![(*r).to_owned()]));
                initials =
                    product(&initials, readings.iter().filter_map(|r| r.chars().next()).map(|c| vec![c]));
            }
        } else {
            let word = spelled(run);
            let splits = if word.bytes().all(|b| b.is_ascii_alphabetic()) {
                splits(&word, i + 1 == parts.len())
            } else {
                vec![vec![word.clone()]]
            };
            pinyin = product(&pinyin, splits.into_iter());
            initials = product(&initials, std::iter::once(word.chars().collect()));
        }
    }
    let ends_open = parts.last().is_some_and(|run| !run[0].is_han());
    let pinyin = pinyin.into_iter().filter_map(|syllables| Expr::phrase(syllables, ends_open, is_anchored));
    let initials = initials.into_iter().filter_map(|initials| {
        let mut tokens = Vec::new();
        initial_tokens(&initials, &mut tokens);
        // A single initial is the beginning of a pair; of more, the last alone would be the end of a name.
        if tokens.len() > 1 {
            tokens.pop();
        }
        Expr::phrase(tokens, initials.len() == 1, is_anchored)
    });
    pinyin.chain(initials).collect()
}

/// Syllables typed in full among initials: `guangztj`. No phrase has both, so the initials of all of it and the full
/// syllables in it are looked for beside each other; [`super::Matcher`] puts first what has them in their places.
fn mixed_sounds(letters: &str, is_anchored: bool) -> Vec<Expr> {
    let expr = |segments: &Vec<&str>| {
        let mut tokens = Vec::new();
        let initials: Vec<char> = segments.iter().filter_map(|segment| segment.chars().next()).collect();
        initial_tokens(&initials, &mut tokens);
        tokens.pop();
        let mut parts = vec![Expr::phrase(tokens, false, is_anchored)?];
        let mut at = 0;
        for run in segments.chunk_by(|a, b| (a.len() > 1) == (b.len() > 1)) {
            if run[0].len() > 1 {
                let syllables = run.iter().map(|syllable| respelled(syllable).to_owned()).collect();
                parts.push(Expr::phrase(
                    syllables,
                    at + run.len() == segments.len(),
                    is_anchored && at == 0,
                )?);
            }
            at += run.len();
        }
        Some(Expr::All(parts))
    };
    mixed_splits(letters).iter().filter_map(expr).collect()
}

/// The ways to cut letters into full syllables and single initials, at least one of each, in as few parts as can be or
/// one more; the last may be the beginning of a syllable.
fn mixed_splits(letters: &str) -> Vec<Vec<&str>> {
    if !letters.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Vec::new();
    }
    // fewest[at]: parts that the letters from `at` on take.
    let mut fewest = vec![usize::MAX; letters.len() + 1];
    fewest[letters.len()] = 0;
    for at in (0..letters.len()).rev() {
        let ends = segment_ends(letters, at).filter_map(|end| fewest[end].checked_add(1));
        fewest[at] = ends.min().unwrap_or(usize::MAX);
    }
    let Some(most) = fewest[0].checked_add(1) else { return Vec::new() };
    let mut ways: Vec<Vec<&str>> = Vec::new();
    let mut open: Vec<(usize, Vec<&str>)> = vec![(0, Vec::new())];
    for _ in 0..MIXED_STEPS {
        let Some((at, path)) = open.pop() else { break };
        if at == letters.len() {
            let full = path.iter().filter(|segment| segment.len() > 1).count();
            if full > 0 && full < path.len() {
                ways.push(path);
            }
            if ways.len() == SPLIT_LIMIT {
                break;
            }
            continue;
        }
        // The longest is taken up first: it is pushed last. Every path that is begun can be ended within `most`.
        for end in segment_ends(letters, at) {
            if fewest[end].saturating_add(path.len() + 1) <= most {
                open.push((end, [path.as_slice(), &[&letters[at..end]]].concat()));
            }
        }
    }
    ways
}

/// Where a part that begins at `at` may end, the nearest first: after an initial, a syllable, or at the end of what was
/// typed.
fn segment_ends(letters: &str, at: usize) -> impl Iterator<Item = usize> {
    let rest = &letters[at..];
    let fits = move |len: &usize| {
        let part = &rest[..*len];
        let is_whole = readings::SYLLABLES.binary_search(&respelled(part)).is_ok();
        is_whole || ((*len == 1 || *len == rest.len()) && begins_syllable(part))
    };
    (1..=rest.len().min(6)).filter(fits).map(move |len| at + len)
}

fn product<T: Clone + PartialEq>(
    left: &[Vec<T>],
    right: impl Iterator<Item = Vec<T>> + Clone,
) -> Vec<Vec<T>> {
    let mut ways: Vec<Vec<T>> = Vec::new();
    for head in left {
        for tail in right.clone() {
            let way = [head.as_slice(), tail.as_slice()].concat();
            if ways.len() < SPLIT_LIMIT && !ways.contains(&way) {
                ways.push(way);
            }
        }
    }
    ways
}

/// The ways to cut letters into syllables, longest syllables first; the last may be unfinished when `ends_open`.
fn splits(letters: &str, ends_open: bool) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut dead = vec![false; letters.len() + 1];
    cut(letters, 0, ends_open, &mut Vec::new(), &mut found, &mut dead);
    found
}

fn cut(
    letters: &str,
    at: usize,
    ends_open: bool,
    path: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
    dead: &mut [bool],
) {
    if found.len() == SPLIT_LIMIT || dead[at] {
        return;
    }
    let rest = &letters[at..];
    if rest.is_empty() {
        found.push(path.clone());
        return;
    }
    let before = found.len();
    let known = |part: &str| readings::SYLLABLES.binary_search(&part).is_ok();
    for len in (1..=rest.len().min(6)).rev() {
        let syllable = respelled(&rest[..len]);
        if known(syllable) {
            path.push(syllable.to_owned());
            cut(letters, at + len, ends_open, path, found, dead);
            path.pop();
        } else if len == rest.len() && ends_open && begins_syllable(rest) && found.len() < SPLIT_LIMIT {
            path.push(rest.to_owned());
            found.push(path.clone());
            path.pop();
        }
    }
    dead[at] = found.len() == before;
}

fn begins_syllable(part: &str) -> bool {
    let at = readings::SYLLABLES.partition_point(|syllable| *syllable < part);
    readings::SYLLABLES.get(at).is_some_and(|syllable| syllable.starts_with(part))
}

/// ü as it is also written: on passports (lyu), and after l and n before e (lue).
fn respelled(syllable: &str) -> &str {
    match syllable {
        "lyu" => "lv",
        "nyu" => "nv",
        "lue" => "lve",
        "nue" => "nve",
        other => other,
    }
}

/// The words of a query as [`super::Matcher`] compares them.
pub(super) fn words(query: &str) -> Vec<Vec<Glyph>> {
    let query: String = query.chars().take(QUERY_LIMIT).collect();
    let typed = glyphs(&query, QUERY_LIMIT);
    let spaced = query.split_whitespace().count() > 1;
    if spaced && typed.len() >= 7 && typed.iter().all(|glyph| glyph.folded.is_ascii_digit()) {
        return vec![typed];
    }
    let words = query.split_whitespace().take(WORD_COUNT_LIMIT).map(|word| glyphs(word, QUERY_LIMIT));
    words.filter(|word| !word.is_empty()).collect()
}
