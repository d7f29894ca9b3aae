//! Jobs in machines that really boot, by the real program and its embedded provider. `--profile vm` runs these.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stead_tests::run::{Output, run};
use stead_tests::vm::store;
use stead_tests::{policy, program};
use tempfile::TempDir;

use crate::predict::{is_right, model, tile};

/// A boot beside busy neighbours, and a prediction in an emulated machine.
const LIMIT: Duration = Duration::from_secs(1200);

const STEAD: &str = r#"
[provider.qemu]
folder = "@FOLDER@"

[provider.qemu.price]
measured = "0.05 EUR"

[policy.predict]
component = "predict.wasm"

[policy.predict.config]
image = "@IMAGE@"
memory = 1024

[policy.predict.grant.vm]
providers = ["qemu"]
images = ["@IMAGE@"]
machines = 1
lifetime = "60 min"
memory = "1 GiB"
price-per-job = "0.05 EUR"

[policy.predict.grant.http]
hosts = ["models.example.org"]
"#;

struct Shell {
    program: PathBuf,
    folder: TempDir,
}

impl Shell {
    fn new() -> Result<Self> {
        let (program, folder) = (program::stead()?, tempfile::tempdir()?);
        fs::copy(policy::component("predict", "modules/predict")?, folder.path().join("predict.wasm"))?;
        let (store, image) = imported()?;
        let stead = STEAD.replace("@FOLDER@", &store.display().to_string()).replace("@IMAGE@", &image);
        fs::write(folder.path().join("stead.toml"), stead)?;
        fs::write(folder.path().join("tile.ppm"), tile())?;
        fs::write(folder.path().join("model.json"), serde_json::to_vec(&model())?)?;
        fs::write(folder.path().join("input.json"), "{\"tile\": \"tile.ppm\", \"model\": \"model.json\"}")?;
        Ok(Self { program, folder })
    }

    fn stead(&self, arguments: &[&str]) -> Result<Output> {
        stead(&self.program, self.folder.path(), arguments)
    }
}

fn stead(program: &Path, repo: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(program);
    // Names in the input are those of the folder.
    command.current_dir(repo).arg("--state").arg(repo.join("state")).arg("--repo").arg(repo).args(arguments);
    let output = run(&mut command, LIMIT)?;
    ensure!(output.status.success(), "{arguments:?}: {}\n{}{}", output.status, output.stdout, output.stderr);
    Ok(output)
}

/// The image of the other tests, as the program imports it.
fn imported() -> Result<(PathBuf, String)> {
    store(|source, store| {
        let repo = tempfile::tempdir()?;
        fs::write(repo.path().join("stead.toml"), format!("[provider.qemu]\nfolder = \"{}\"\n", store.display()))?;
        Ok(stead(&program::stead()?, repo.path(), &["vm", "import", &source.display().to_string()])?.stdout)
    })
}

#[test]
fn a_tile_is_segmented_in_a_machine_that_boots() -> Result<()> {
    let (shell, began) = (Shell::new()?, Instant::now());
    let attach = ["--attach", "tile.ppm=tile.ppm", "--attach", "model.json=model.json"];
    let mut line = vec!["job", "run", "predict", "--input", "input.json"];
    line.extend(attach);
    let ran = shell.stead(&line)?;
    println!("submitted to result in {:?}\n{}", began.elapsed(), ran.stderr);
    ensure!(ran.stderr.contains("64 x 48 pixels"), "{}", ran.stderr);
    ensure!(ran.stderr.contains("rows 0 to 48 of 48"), "the output of the command: {}", ran.stderr);
    shell.stead(&["job", "artifacts", "1", "--to", "out"])?;
    let out = shell.folder.path().join("out");
    is_right(&serde_json::from_str(&ran.stdout)?, &out.join("plot.png"), &out.join("classes.png"))?;
    ensure!(shell.stead(&["vm", "ls"])?.stdout.is_empty(), "a machine is left");
    let shown = shell.stead(&["job", "show", "1"])?.stdout;
    ensure!(shown.contains("cost") && shown.contains(" EUR"), "{shown}");
    Ok(())
}
