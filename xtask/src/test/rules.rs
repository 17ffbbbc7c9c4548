//! SPEC.md tells the truth: a rule it calls shown has a test named after it, and one it calls
//! not yet has none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use crate::{
    failure::{Done, Failure, OrAdvise},
    house::House,
    stamp::MADE_FOLDERS,
};

/// The letters of the rules: document, file, sync, browser, finding, old clients, trust.
const LETTERS: &str = "DFSBQLT";

/// Where tests live.
const FOLDERS: [&str; 5] = ["core", "wasm", "server", "web", "tests"];

/// The endings of files that may hold tests.
const ENDINGS: [&str; 5] = ["rs", "mjs", "js", "ts", "tsx"];

/// What stands before the name of a test: in Rust, and in JavaScript's three kinds of quotes.
const BEFORE_NAME: [&str; 4] = ["fn ", "'", "\"", "`"];

/// How far SPEC.md says that a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Shown,
    Partly,
    NotYet,
}

/// Compares SPEC.md's words with the tests' names.
///
/// # Errors
///
/// Fails with every rule whose word is not true.
pub(super) fn check(house: &House) -> Done {
    let spec = house
        .shell
        .read_file("SPEC.md")
        .or_advise("Check out the whole repository.")?;
    let rules = rules_of(&spec);
    let mut tested = BTreeSet::new();
    for folder in FOLDERS {
        collect(&house.root.join(folder), &mut tested)
            .or_advise("Check out the whole repository.")?;
    }
    let untrue = untrue(&rules, &tested);
    if untrue.is_empty() {
        let count = |word| rules.values().filter(|one| **one == word).count();
        eprintln!(
            "{} rules: {} shown, {} partly, {} not yet",
            rules.len(),
            count(Word::Shown),
            count(Word::Partly),
            count(Word::NotYet)
        );
        return Ok(());
    }
    Err(Failure::new(format!(
        "{}. Correct the word in SPEC.md or the name of the test.",
        untrue.join("; ")
    )))
}

/// The rules of the text, each a paragraph that opens like `**D4 · shown.**`.
fn rules_of(spec: &str) -> BTreeMap<String, Word> {
    spec.lines()
        .filter_map(|line| {
            let (rule, rest) = line.strip_prefix("**")?.split_once(" · ")?;
            let word = match rest.split_once('.')?.0 {
                "shown" => Word::Shown,
                "partly" => Word::Partly,
                "not yet" => Word::NotYet,
                _ => return None,
            };
            Some((rule.to_owned(), word))
        })
        .collect()
}

/// Adds every rule that a test below `folder` is named after.
fn collect(folder: &Path, tested: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if !MADE_FOLDERS.iter().any(|made| entry.file_name() == *made) {
                collect(&path, tested)?;
            }
        } else if path
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
        {
            tested.extend(names_in(&fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// The rules that the tests in `text` are named after.
fn names_in(text: &str) -> Vec<String> {
    BEFORE_NAME
        .iter()
        .flat_map(|before| text.split(before).skip(1))
        .filter_map(|name| {
            let (rule, rest) = name.split_once('_')?;
            let rule = rule.to_uppercase();
            let is_rule = rule.starts_with(|letter| LETTERS.contains(letter))
                && matches!(rule.len(), 2 | 3)
                && rule[1..].bytes().all(|digit| digit.is_ascii_digit());
            (is_rule
                && name.starts_with(|letter: char| letter.is_ascii_lowercase())
                && rest.starts_with(|letter: char| letter.is_ascii_alphanumeric()))
            .then_some(rule)
        })
        .collect()
}

fn untrue(rules: &BTreeMap<String, Word>, tested: &BTreeSet<String>) -> Vec<String> {
    let words = rules
        .iter()
        .filter_map(|(rule, word)| match (word, tested.contains(rule)) {
            (Word::Shown | Word::Partly, true) | (Word::NotYet, false) => None,
            (Word::Shown | Word::Partly, false) => Some(format!(
                "no test is named after {rule}, which SPEC.md does not call `not yet`"
            )),
            (Word::NotYet, true) => Some(format!(
                "SPEC.md calls {rule} `not yet`, but there are tests named after it"
            )),
        });
    let unknown = tested
        .iter()
        .filter(|rule| !rules.contains_key(*rule))
        .map(|rule| format!("tests are named after {rule}, which SPEC.md does not have"));
    words.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_in_both_languages_and_nothing_else_is() {
        let rust = [
            "fn ",
            "d4_edits_apart() {} fn ",
            "t10_x() {} let d5_x = 1; fn deep_x() {}",
        ]
        .concat();
        assert_eq!(names_in(&rust), ["D4", "T10"]);
        assert_eq!(
            names_in(&["test(", "'", "b3_cards_first", "', …)"].concat()),
            ["B3"]
        );
        assert!(names_in("// d4_ is the prefix").is_empty());
    }

    #[test]
    fn each_word_is_held_against_the_tests() {
        let rules = rules_of(
            "# Rules\n**A1 · shown.** x\n**A2 · partly.** x\n**A3 · not yet.** x\n**bold** text\n",
        );
        assert_eq!(rules.len(), 3);
        let tested = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert!(untrue(&rules, &tested(&["A1", "A2"])).is_empty());
        assert_eq!(untrue(&rules, &tested(&["A1", "A2", "A3"])).len(), 1);
        assert_eq!(untrue(&rules, &tested(&["A9"])).len(), 3);
    }
}
