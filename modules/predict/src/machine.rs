//! The machine of this job.

use stead_guest::job::{Failure, run};
use stead_guest::vm::{self, Command, Content, Outcome};
use stead_guest::info;

use crate::config::Config;

const NAME: &str = "main";
const FOLDER: &str = "/srv/predict";
const PROGRAM: &str = include_str!("predict.py");

pub(crate) struct Machine;

impl Machine {
    pub(crate) fn launch(config: &Config) -> Result<Self, Failure> {
        let requests = config.requests();
        let served = vm::launch_any(NAME, &requests)?;
        if let Some(request) = requests.get(served as usize) {
            let at = request.region.as_deref().unwrap_or("the default region");
            info!("{} in {at}", request.instance_type.as_deref().unwrap_or("a machine cut to measure"));
        }
        vm::wait_ready(&[NAME.to_owned()])?;
        Ok(Self)
    }

    /// Installs what the image lacks, and brings the program.
    pub(crate) fn prepare(&self, config: &Config) -> Result<(), Failure> {
        let packages = config.packages.join(" ");
        run(
            NAME,
            &format!(
                "set -eu
                dpkg-query -W {packages} > /dev/null 2>&1 && exit
                export DEBIAN_FRONTEND=noninteractive
                apt-get -q update
                apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install {packages}"
            ),
        )?;
        Ok(vm::upload(NAME, &Content::Text(PROGRAM.to_owned()), &path("predict.py"))?)
    }

    pub(crate) fn give(&self, artifact: &str, name: &str) -> Result<(), Failure> {
        Ok(vm::upload(NAME, &Content::Artifact(artifact.to_owned()), &path(name))?)
    }

    /// What the program says at its end.
    pub(crate) fn predict(&self, config: &Config) -> Result<String, Failure> {
        let script = format!("cd {FOLDER} && exec python3 -u predict.py tile model");
        let command = Command { script, timeout: config.timeout, ..Command::default() };
        let ended = vm::wait(vm::start(NAME, &command)?)?;
        match ended.outcome {
            Outcome::Exited(0) => Ok(ended.output.lines().last().unwrap_or_default().to_owned()),
            Outcome::OutOfMemory => Err(Failure::new("the machine has too little memory for this tile and model")),
            other => Err(Failure::new(format!("the prediction ended with {other:?}:\n{}", ended.output))),
        }
    }

    pub(crate) fn take(&self, name: &str) -> Result<(), Failure> {
        Ok(vm::download(NAME, &path(name), name)?)
    }

    pub(crate) fn destroy(self) -> Result<(), Failure> {
        Ok(vm::destroy(NAME)?)
    }
}

fn path(name: &str) -> String {
    format!("{FOLDER}/{name}")
}
