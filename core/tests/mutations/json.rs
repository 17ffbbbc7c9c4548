//! JSON as tokens that are swapped, doubled, dropped and misspelled.

use crate::bytes::Draw as _;
use crate::chance::Chance;

/// What is put in the place of a token.
const ODD: [&str; 44] = [
    "null",
    "true",
    "0",
    "-0",
    "1e3",
    "1.50",
    "1e400",
    "-1e-400",
    "9007199254740993",
    "18446744073709551616",
    "0.10000000000000000555",
    "01",
    "1.",
    "NaN",
    "\"\"",
    "\"job-1\"",
    "\"job-2-2\"",
    "\"job-18446744073709551615\"",
    "\"id\"",
    "\"jobs\"",
    "\"sync\"",
    "\"heads\"",
    "\"document\"",
    "\"createdAt\"",
    "\"status\"",
    "\"result\"",
    "\"lastJobId\"",
    "\"savedAt\"",
    "\"replacedBy\"",
    "\"images\"",
    "\"linked\"",
    "\"__proto__\"",
    "\"\\ud83d\"",
    "\"\\ud83d\\ude00\"",
    "\"\\u0000\"",
    "\"é\u{2028}🐉\"",
    "\"rotationData\"",
    "\"sourceJobId\"",
    "{}",
    "[]",
    "\"blob:sha256-ababababababababababababababababababababababababababababababab\"",
    "\"data:image/png;base64,iVBORw0KGgo=\"",
    "9007199254740991",
    "\"1970-01-01T00:00:00Z\"",
];

/// What an editor, git or a crash puts between tokens.
const BETWEEN: [&str; 9] = [
    ",",
    "\n<<<<<<< HEAD\n",
    "\n=======\n",
    "\n>>>>>>> theirs\n",
    "\0",
    "// no\n",
    "\u{feff}",
    "'",
    "\\",
];

/// The tokens of `text`, which none of its bytes is lost between.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut token = String::from(letter);
        let goes_on: fn(char) -> bool = match letter {
            '"' => {
                while let Some(letter) = letters.next() {
                    token.push(letter);
                    match letter {
                        '\\' => token.extend(letters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
                |_| false
            }
            letter if letter.is_whitespace() => char::is_whitespace,
            letter if letter.is_alphanumeric() || "+-.".contains(letter) => {
                |letter| letter.is_alphanumeric() || "+-.".contains(letter)
            }
            _ => |_| false,
        };
        while let Some(letter) = letters.next_if(|letter| goes_on(*letter)) {
            token.push(letter);
        }
        tokens.push(token);
    }
    tokens
}

/// Where the value ends that begins at token `at`: after itself, or after its closing bracket.
fn end_of(tokens: &[String], at: usize) -> usize {
    let mut depth = 0_usize;
    for (nth, token) in tokens.iter().enumerate().skip(at) {
        match token.as_str() {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return nth + 1;
        }
    }
    tokens.len()
}

/// A token that is no white space; the first of all where there is none.
fn some(tokens: &[String], chance: &mut Chance) -> usize {
    let at = chance.index(tokens.len());
    let after = tokens
        .iter()
        .skip(at)
        .position(|token| !token.trim().is_empty());
    after.map_or(0, |more| at + more)
}

/// A token with which a value begins that is no key.
fn value(tokens: &[String], chance: &mut Chance) -> usize {
    let mut at = some(tokens, chance);
    for _ in 0..20 {
        let mut after = tokens[end_of(tokens, at)..].iter();
        let after = after.find(|token| !token.trim().is_empty());
        let is_value = !matches!(tokens[at].as_str(), "}" | "]" | "," | ":");
        if is_value && after.is_none_or(|after| after != ":") {
            break;
        }
        at = some(tokens, chance);
    }
    at
}

/// Changes one thing. Two of three changes leave the brackets as they are.
pub(crate) fn change(tokens: &mut Vec<String>, chance: &mut Chance) {
    if tokens.is_empty() {
        return;
    }
    let how = chance.below(20);
    let pick = if how < 14 { value } else { some };
    let (at, other) = (pick(tokens, chance), pick(tokens, chance));
    match how {
        // Whole values: one in another's place, once more behind itself, gone.
        0 | 1 => {
            let value = tokens[other..end_of(tokens, other)].to_vec();
            let end = end_of(tokens, at);
            tokens.splice(at..end, value);
        }
        2 => {
            let end = end_of(tokens, at);
            let mut copy = tokens[at..end].to_vec();
            copy.insert(0, ",".to_owned());
            let copies = 1 + chance.index(3);
            for _ in 0..copies {
                tokens.splice(end..end, copy.iter().cloned());
            }
        }
        3 => {
            // With the comma before it, if it has one.
            let before = tokens[..at]
                .iter()
                .rposition(|token| !token.trim().is_empty());
            let from = before.filter(|before| tokens[*before] == ",").unwrap_or(at);
            let end = end_of(tokens, at);
            tokens.drain(from..end);
        }
        4..=6 => {
            let end = end_of(tokens, at);
            tokens.splice(at..end, [(*chance.one_of(&ODD)).to_owned()]);
        }
        7..=12 if tokens[at].starts_with('"') => inside(&mut tokens[at], chance),
        7..=12 | 14 => letters(&mut tokens[at], chance),
        13 => {
            let (depth, end) = (chance.index(70), end_of(tokens, at));
            let (open, close) = *chance.one_of(&[("[", "]"), ("{\"a\":", "}")]);
            tokens.insert(end, close.repeat(depth));
            tokens.insert(at, open.repeat(depth));
        }
        15 => tokens.swap(at, other),
        16 => drop(tokens.remove(at)),
        17 => tokens.insert(at, tokens[other].clone()),
        18 => tokens.insert(at, (*chance.one_of(&BETWEEN)).to_owned()),
        _ => tokens.truncate(at),
    }
}

/// Changes what a text says, and nothing of its quotes.
fn inside(token: &mut String, chance: &mut Chance) {
    let mut text = token.trim_matches('"').to_owned();
    if chance.once_in(3) {
        text.push_str(chance.one_of::<&str>(&["-2", "0", " ", "\\\\", "\\u00e9", "é", "\u{7f}"]));
    } else if !text.contains('\\') && !text.is_empty() {
        text = text.chars().skip(chance.index(3)).chain(['x'; 3]).collect();
    }
    *token = format!("\"{text}\"");
}

/// Changes a letter or digit of a token.
fn letters(token: &mut String, chance: &mut Chance) {
    let mut letters: Vec<char> = token.chars().collect();
    if letters.is_empty() {
        return;
    }
    let at = chance.index(letters.len());
    match chance.below(4) {
        0 => {
            letters[at] = *chance.one_of(&['0', '1', '9', '-', 'e', '.', 'a', '"', '\\', '\n', 'é'])
        }
        1 => letters.insert(
            at,
            *chance.one_of(&['0', '5', '.', 'e', '\\', 'u', '\u{1}', '🐉']),
        ),
        2 => drop(letters.remove(at)),
        _ => letters[at] = char::from(b'0' + chance.byte() % 10),
    }
    *token = letters.into_iter().collect();
}
