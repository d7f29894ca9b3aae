//! One shell, in which the commands of a page are typed one after the other.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::run::run;

use crate::page::Typed;

const LIMIT: Duration = Duration::from_secs(10 * 60);
/// Before what a command has said, and before its exit code.
const BEGIN: char = '\u{1}';
const END: char = '\u{2}';

/// Types `commands` in `folder`, with the programs of `path` before all others, and holds what they say and how they end
/// against what the page says. Returns the folder in which the shell is at the end.
pub(crate) fn type_all(commands: &[Typed], name: &str, folder: &Path, path: &Path) -> Result<PathBuf> {
    let mut script = "exec </dev/null 2>&1\n".to_owned();
    for typed in commands {
        // No subshell: the next command is typed in the folder that this one went to.
        writeln!(script, "printf '{BEGIN}'\n{{ {}\n}}\nprintf '{END}%s{END}' $?", typed.command)?;
    }
    writeln!(script, "printf '{BEGIN}%s' \"$PWD\"")?;
    let file = path.join("page.sh");
    fs::write(&file, script)?;
    let programs = format!("{}:{}", path.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell.arg(file).current_dir(folder).env("PATH", programs).env("HOME", path).env_remove("CARGO_BUILD_TARGET");
    shell.env_remove("XDG_CONFIG_HOME").env_remove("STEAD_IDENTITY");
    let said = run(&mut shell, LIMIT)?.stdout;
    let mut said = said.split(BEGIN).skip(1);
    for typed in commands {
        let place = format!("{name}:{}: `{}`", typed.line, typed.command);
        let (text, code) =
            said.next().and_then(|said| said.split_once(END)).with_context(|| format!("{place}: lost"))?;
        let code = code.split(END).next().unwrap_or_default();
        ensure!(code == typed.exit.to_string(), "{place} ended with {code}, not with {}:\n{text}", typed.exit);
        let shown: Vec<_> = typed.shown.iter().map(String::as_str).collect();
        let lines: Vec<_> = text.trim_end().lines().map(str::trim_end).collect();
        ensure!(
            shown.is_empty() || fits(&shown, &lines),
            "{place} said:\n{}\n\nand the page:\n{}",
            lines.join("\n"),
            shown.join("\n")
        );
    }
    Ok(PathBuf::from(said.next().context("the shell ended before the page did")?))
}

/// Whether the lines are what the page shows: `…` stands for any lines, and in a line for any words.
fn fits(shown: &[&str], lines: &[&str]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((&"…", rest)) => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, lines)| fits_in(first, line) && fits(rest, lines))
        }
    }
}

fn fits_in(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn what_is_left_out_fits_anything() {
    let line = "web1  revision 3  2026-11-26";
    for shown in ["…", "web1 …", "web1  revision …  2026-11-26", "…revision…"] {
        assert!(fits(&[shown], &[line]), "{shown}");
    }
    for shown in ["web2…", "web1", "web1 … 2025-11-26"] {
        assert!(!fits(&[shown], &[line]), "{shown}");
    }
    assert!(fits(&["a", "…", "d"], &["a", "b", "c", "d"]) && fits(&["…"], &[]));
    assert!(!fits(&["a", "…", "d"], &["a", "b"]) && !fits(&["a"], &["a", "b"]));
}
