//! A `stead serve` with one policy and one image, in a folder of its own.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use stead_tests::run::{Output, run};
use stead_tests::serve::{Server, stead};
use stead_tests::vm::store;
use stead_tests::{policy, wait};
use tempfile::TempDir;

const FIRST: &str = "the first output";
const LIMIT: Duration = Duration::from_secs(900);

const STEAD: &str = r#"
[provider.qemu]
folder = "@FOLDER@"

[policy.works]
component = "works.wasm"

[policy.works.grant.http]
hosts = ["localhost"]

[policy.works.grant.vm]
providers = ["qemu"]
images = ["@IMAGE@"]
machines = 1
lifetime = "60 min"
"#;

pub(super) struct Service {
    folder: TempDir,
    image: String,
    _server: Server,
}

impl Service {
    pub(super) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // QEMU is nobody, and opens its disk once more when it resumes.
        fs::set_permissions(&folder, Permissions::from_mode(0o711))?;
        let (images, image) = imported()?;
        fs::create_dir(folder.path().join("qemu"))?;
        symlink(images.join("images"), folder.path().join("qemu/images"))?;
        let policy = policy::component("works", "tests/jobs/policy")?;
        fs::copy(policy, folder.path().join("works.wasm"))?;
        let provider = folder.path().join("qemu").display().to_string();
        let declared = STEAD.replace("@FOLDER@", &provider).replace("@IMAGE@", &image);
        fs::write(folder.path().join("stead.toml"), declared)?;
        let input = serde_json::json!({
            "machines": 1, "image": image, "lifetime": 3600, "scripts": [format!("echo {FIRST}; sleep 2")]
        });
        fs::write(folder.path().join("input.json"), input.to_string())?;
        let server = Server::on(folder.path(), &[])?;
        Ok(Self { folder, image, _server: server })
    }

    /// From now on machines resume.
    pub(super) fn warm(&self) -> Result<()> {
        self.stead(&["vm", "warm", &self.image]).map(drop)
    }

    /// From the start of `stead job submit` to the first line that the job's command has written; the job has ended then.
    pub(super) fn first_output(&self) -> Result<Duration> {
        let began = Instant::now();
        let job = self.submit()?;
        let mut logs = stead(self.folder.path())?;
        let mut logs = logs.args(["job", "logs", "--follow", &job]).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(logs.stdout.take().context("no output")?).lines();
        let mut took = None;
        for line in lines {
            if line?.contains(FIRST) {
                took.get_or_insert_with(|| began.elapsed());
            }
        }
        logs.wait()?;
        took.with_context(|| self.stead(&["job", "show", &job]).map_or_else(|error| error.to_string(), |it| it.stdout))
    }

    /// Gives the folder of a machine that runs and the folder of its keys to `look`, and ends the machine.
    pub(super) fn with_machine<T>(&self, look: impl FnOnce(&Path, &Path) -> Result<T>) -> Result<T> {
        let job = self.submit()?;
        let (name, state) = (format!("stead-{job}-1-1"), self.folder.path().join("state"));
        let machine = self.folder.path().join("qemu/machines").join(&name);
        wait::until("a machine", LIMIT, || Ok(machine.join("started").exists().then_some(())))?;
        let looked = look(&machine, &state.join("jobs/keys").join(&name));
        self.stead(&["job", "cancel", &job])?;
        wait::until("its end", LIMIT, || Ok((!machine.exists()).then_some(())))?;
        looked
    }

    fn submit(&self) -> Result<String> {
        Ok(self.stead(&["job", "submit", "works", "--input", "input.json"])?.stdout.trim().to_owned())
    }

    fn stead(&self, arguments: &[&str]) -> Result<Output> {
        let output = run(stead(self.folder.path())?.args(arguments), LIMIT)?;
        ensure!(output.status.success(), "{arguments:?}: {}\n{}", output.status, output.stderr);
        Ok(output)
    }
}

/// The tests' own image, as the program imports it.
fn imported() -> Result<(PathBuf, String)> {
    store(|source, store| {
        let repo = tempfile::tempdir()?;
        fs::write(repo.path().join("stead.toml"), format!("[provider.qemu]\nfolder = \"{}\"\n", store.display()))?;
        run(stead(repo.path())?.args(["vm", "import"]).arg(source), LIMIT)?.ok()
    })
}
