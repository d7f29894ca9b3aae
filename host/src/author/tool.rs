//! Finds and runs a language's own tools.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A tool was not run, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error("{tool} is not installed; {install}")]
    Missing {
        tool: &'static str,
        /// What to install, and from where.
        install: String,
    },
    #[error("cannot run {tool}: {source}")]
    Start { tool: &'static str, source: std::io::Error },
    #[error("the policy does not compile\n{words}")]
    Failed {
        /// What the tool said.
        words: String,
    },
}

/// The first of these programs that is in one of the folders, or where programs are.
pub(super) fn find(names: &[&str], folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = folders.iter().cloned().chain(std::env::split_paths(&path)).collect();
    let places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| is_program(place))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Runs a tool to its end. `say` gets each line that it says, and what it said is in the error.
pub(super) fn run(tool: &'static str, command: &mut Command, say: &mut dyn FnMut(&str)) -> Result<(), ToolError> {
    let start = |source| ToolError::Start { tool, source };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(start)?;
    // Read in a thread of its own: a tool stops when either pipe is full.
    let stdout = child.stdout.take();
    let printed = std::thread::spawn(move || text(stdout));
    let mut words = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            say(&line);
            words.push_str(&line);
            words.push('\n');
        }
    }
    let status = child.wait().map_err(start)?;
    let printed = printed.join().unwrap_or_default();
    printed.lines().for_each(&mut *say);
    if status.success() { Ok(()) } else { Err(ToolError::Failed { words: words + &printed }) }
}

fn text(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What is cut off by an error here is only missing in the message.
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{ToolError, find, run};

    #[test]
    fn a_tool_is_found_and_its_words_are_kept() {
        assert!(find(&["no-such-tool", "sh"], &[]).is_some_and(|path| path.ends_with("sh")));
        assert_eq!(find(&["passwd"], &["/etc".into()]).filter(|path| path.starts_with("/etc")), None);
        let mut said = Vec::new();
        let mut command = Command::new("sh");
        let failed =
            run("sh", command.args(["-c", "echo out; echo err >&2; exit 3"]), &mut |line| said.push(line.to_owned()));
        assert!(matches!(failed, Err(ToolError::Failed { words }) if words == "err\nout\n"));
        assert_eq!(said, ["err", "out"]);
    }
}
