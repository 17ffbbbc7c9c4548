//! `docs/commands.md` shows what the program says: its commands are run, and their words compared.
//!
//! `PLAINSYNC_BLESS=1 cargo test -p plainsync --test commands page` writes the page anew.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::finished;

/// What the script prints before each command's own words.
const MARK: &str = "\u{1}";

/// A command of the page, and what stands below it.
#[derive(Default)]
struct Step {
    command: String,
    said: String,
}

/// The page in pieces: text, and the steps of the transcripts between.
fn parse(page: &str) -> Vec<Result<Step, String>> {
    let mut pieces = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
            pieces.push(Err(line.to_owned()));
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            pieces.push(Ok(Step {
                command: command.to_owned(),
                ..Step::default()
            }));
        } else if let (true, Some(Ok(step))) = (inside, pieces.last_mut()) {
            step.said.push_str(line);
            step.said.push('\n');
        } else {
            pieces.push(Err(line.to_owned()));
        }
    }
    pieces
}

/// What each command says, one after the other in one shell.
fn run(commands: &[String]) -> Vec<String> {
    let home = tempfile::tempdir().expect("a folder");
    let work = home.path().join("projects");
    std::fs::create_dir(&work).expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_plainsync"));
    let mut script = String::new();
    for command in commands {
        script.push_str(&format!(
            "printf '{MARK}'\n{command}\ncode=$?; [ $code = 0 ] || echo \"(exit code $code)\"\n"
        ));
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let beside = program.parent().expect("a folder").display();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("exec 2>&1\n{script}")])
        .current_dir(&work)
        .env("PATH", format!("{beside}:{path}"))
        .env("HOME", home.path())
        .env("XDG_STATE_HOME", home.path().join("state"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .env_remove("PLAINSYNC_TOKEN")
        .env_remove("PLAINSYNC_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    for who in ["AUTHOR", "COMMITTER"] {
        shell.env(format!("GIT_{who}_NAME"), "Anna");
        shell.env(format!("GIT_{who}_EMAIL"), "anna@board.example");
    }
    let output = finished(shell.spawn().expect("a shell"), &["docs/commands.md"]);
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let said = said.replace(&home.path().display().to_string(), "~");
    let mut said: Vec<String> = said.split(MARK).map(str::to_owned).collect();
    said.remove(0);
    said
}

/// `text` without what differs from run to run: hashes, ids, dates, and offsets behind them.
fn steady(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if is_part(c) {
            word.push(c);
            continue;
        }
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        let is_hash = word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_place = word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_drawn = is_place || word.len() >= 7 && (has_digit || is_hash || word.len() > 20);
        out.push_str(if is_drawn { "#" } else { &word });
        word.clear();
        out.push(c);
    }
    let mut lines: Vec<String> = Vec::new();
    for line in out.lines() {
        let words = line.split(' ').map(|word| {
            // Of a date the year is drawn already: `#-11-25`.
            let is_date = word.len() >= 7
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || b"#-:".contains(&byte));
            if is_date { "#" } else { word }
        });
        lines.push(words.collect::<Vec<_>>().join(" "));
    }
    lines.join("\n")
}

#[test]
fn the_page_of_commands_shows_what_they_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let pieces = parse(&page);
    let steps: Vec<&Step> = pieces.iter().flatten().collect();
    let commands: Vec<String> = steps.iter().map(|step| step.command.clone()).collect();
    let said = run(&commands);
    assert_eq!(said.len(), commands.len(), "{said:#?}");
    if std::env::var_os("PLAINSYNC_BLESS").is_some() {
        let mut said = said.iter();
        let mut text = String::new();
        for piece in &pieces {
            match piece {
                Err(line) => text.push_str(&format!("{line}\n")),
                Ok(step) => {
                    let said = said.next().expect("one for each");
                    text.push_str(&format!("$ {}\n{said}", step.command));
                }
            }
        }
        std::fs::write(&path, text).expect("written");
        return;
    }
    for (step, said) in steps.iter().zip(&said) {
        let (shown, said) = (steady(&step.said), steady(said));
        assert!(
            shown == said,
            "$ {}\nthe page shows:\n{shown}\nthe program says:\n{said}",
            step.command
        );
    }
}
