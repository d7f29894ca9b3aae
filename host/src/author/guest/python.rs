//! Python, by componentize-py: the component holds CPython and the policy's modules, as they are after their import.

use std::process::Command;

use super::{MakeError, Work, read};
use crate::author::ToolError;
use crate::author::tool::{find, run};

const TOOL: &str = "componentize-py";
const INSTALL: &str = "install it from PyPI into the repo: \
    python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1";

/// The component of the policy, whose module is `policy`.
pub(in crate::author) fn compile(work: &Work<'_>, say: &mut dyn FnMut(&str)) -> Result<Vec<u8>, MakeError> {
    let tool = find(&[TOOL], &work.programs(".venv/bin"));
    let tool = tool.ok_or_else(|| ToolError::Missing { tool: TOOL, install: INSTALL.to_owned() })?;
    let output = work.output()?;
    let mut command = Command::new(tool);
    command
        .arg("--wit-path")
        .arg(work.wit()?)
        .args(["--world", &work.declared.name, "componentize", "--python-path"])
        .arg(work.folder)
        .arg("--python-path")
        .arg(work.sdk("python"))
        .arg(format!("stead_{}", work.declared.world.name()))
        .arg("--output")
        .arg(&output)
        // A component does not depend on what the author's shell has set.
        .env_remove("PYTHONPATH")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONHASHSEED", "0")
        .current_dir(work.folder);
    run(TOOL, &mut command, say)?;
    read(&output)
}
