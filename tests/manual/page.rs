//! A page of the manual, as a reader works through it: files to write, and commands to type.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// Above a block that no test can run: `<!-- not run: why -->`.
const NOT_RUN: &str = "<!-- not run:";

pub(crate) struct Page {
    /// From the root of the workspace.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) enum Block {
    File { name: String, text: String },
    Commands(Vec<Typed>),
}

/// A command of the page, and what it shows after it.
#[derive(Debug, PartialEq)]
pub(crate) struct Typed {
    pub(crate) line: usize,
    pub(crate) command: String,
    /// Empty: the page does not say.
    pub(crate) shown: Vec<String>,
    pub(crate) exit: i32,
}

/// The README and everything below `docs/`, but the decisions, which tell of their time.
pub(crate) fn all() -> Result<Vec<Page>> {
    let mut paths = vec![PathBuf::from("README.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(workspace().join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            match entry.file_type()?.is_dir() {
                true if path.ends_with("adr") => {}
                true => folders.push(path),
                false => paths.push(path),
            }
        }
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths.into_iter().map(Page::read).collect()
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Page {
    pub(crate) fn read(path: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(workspace().join(&path)).with_context(|| path.display().to_string())?;
        Ok(Self { path, text })
    }

    /// What a test does, in the order of the page.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut is_run, mut open) = (Vec::new(), true, None);
        for (event, range) in Parser::new(&self.text).into_offset_iter() {
            match event {
                Event::Html(html) if html.starts_with(NOT_RUN) => is_run = false,
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let line = self.text[..range.start].lines().count() + 2;
                    open = Some((info.to_string(), line, String::new()));
                }
                Event::Text(text) => {
                    if let Some((.., block)) = &mut open {
                        block.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((info, line, text)) = open.take() {
                        blocks.extend(Block::new(&info, line, text).filter(|_| is_run));
                    }
                    is_run = true;
                }
                _ => {}
            }
        }
        blocks
    }
}

impl Block {
    fn new(info: &str, line: usize, text: String) -> Option<Self> {
        match info.split_once(' ') {
            None if info == "console" => Some(Self::Commands(typed(line, &text))),
            None => None,
            Some((_, name)) => Some(Self::File { name: name.to_owned(), text }),
        }
    }
}

fn typed(first: usize, text: &str) -> Vec<Typed> {
    let mut all: Vec<Typed> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            let exit = command.split_once("# exits with ").and_then(|(_, rest)| {
                rest.split(|char: char| !char.is_ascii_digit()).next().and_then(|code| code.parse().ok())
            });
            let command = command.to_owned();
            all.push(Typed { line: first + number, command, shown: Vec::new(), exit: exit.unwrap_or(0) });
        } else if let Some(last) = all.last_mut() {
            // A line that ends in a backslash goes on, as in a shell.
            match last.command.ends_with('\\') && last.shown.is_empty() {
                true => last.command = format!("{}\n{line}", last.command),
                false => last.shown.push(line.trim_end().to_owned()),
            }
        }
    }
    // A blank line before the next command is for the eye.
    for typed in &mut all {
        while typed.shown.last().is_some_and(String::is_empty) {
            typed.shown.pop();
        }
    }
    all
}

#[test]
fn a_page_is_read_as_it_is_meant() {
    let text = "\
# A page

<!-- not run: needs a cloud -->
```console
$ stead job run far
```

```toml stead.toml
[host.web1]
```

```console
$ stead plan web1    # exits with 2: there is something to do
package nftables
…

$ echo a \\
    b
```
";
    let page = Page { path: PathBuf::from("page.md"), text: text.to_owned() };
    let blocks = page.blocks();
    assert!(matches!(&blocks[0], Block::File { name, text } if name == "stead.toml" && text == "[host.web1]\n"));
    let Some(Block::Commands(commands)) = blocks.get(1) else { panic!("no commands") };
    let command = |line, command: &str, shown: &[&str], exit| Typed {
        line,
        command: command.to_owned(),
        shown: shown.iter().map(|line| (*line).to_owned()).collect(),
        exit,
    };
    let plan = "stead plan web1    # exits with 2: there is something to do";
    assert_eq!(*commands, [command(13, plan, &["package nftables", "…"], 2), command(17, "echo a \\\n    b", &[], 0)]);
    assert_eq!(blocks.len(), 2);
}
