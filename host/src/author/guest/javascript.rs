//! JavaScript, by componentize-qjs: the component holds QuickJS and the policy's modules, as they are after their import.

use std::process::Command;

use super::{MakeError, Work, read};
use crate::author::tool::{find, run};
use crate::author::{FileError, ToolError};

const TOOL: &str = "componentize-qjs";

/// The component of the policy, whose module is `main` of its `package.json`.
pub(in crate::author) fn compile(work: &Work<'_>, say: &mut dyn FnMut(&str)) -> Result<Vec<u8>, MakeError> {
    let missing = || ToolError::Missing {
        tool: TOOL,
        install: format!(
            "it is a devDependency of {}: run npm install there",
            work.folder.join("package.json").display()
        ),
    };
    let tool = find(&[TOOL], &work.programs("node_modules/.bin")).ok_or_else(missing)?;
    let output = work.output()?;
    let mut command = Command::new(tool);
    command
        .arg("--wit")
        .arg(work.wit()?)
        .args(["--world", &work.declared.name, "--sync", "--js"])
        .arg(work.folder.join(main(work)?))
        // Modules are looked for below the repo, so that places in messages begin there.
        .arg("--module-root")
        .arg(work.repo)
        .arg("--output")
        .arg(&output)
        .current_dir(work.folder);
    run(TOOL, &mut command, say)?;
    read(&output)
}

fn main(work: &Work<'_>) -> Result<String, FileError> {
    let path = work.folder.join("package.json");
    let text = std::fs::read(&path).map_err(FileError::at(&path))?;
    let package: serde_json::Value =
        serde_json::from_slice(&text).map_err(std::io::Error::other).map_err(FileError::at(&path))?;
    Ok(package.get("main").and_then(serde_json::Value::as_str).unwrap_or("policy.js").to_owned())
}
