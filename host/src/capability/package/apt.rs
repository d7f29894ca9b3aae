//! Runs apt and dpkg so that they never ask, never restart services behind stead's back, and keep edited
//! configuration files. A root that is not the running system is theirs by a configuration file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::lists::Lists;
use super::simulation::Simulation;
use super::{Package, RepositoryName, Version};
use crate::capability::ApplyError;
use crate::machine::{Machine, Program, ProgramError, replace};

/// How long apt itself waits for a lock that was taken after stead had looked.
const LOCK_SECONDS: u32 = 600;
const UPDATE_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// A slow machine on a slow line that installs a database and its friends.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

const ENVIRONMENT: &[(&str, &str)] = &[
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("DEBIAN_PRIORITY", "critical"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("NEEDRESTART_SUSPEND", "1"),
    ("UCF_FORCE_CONFFOLD", "1"),
];

/// The packages to change, as words for apt-get(8).
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// `NAME`, `NAME=VERSION` or `NAME-`.
    pub words: Vec<String>,
    pub recommends: bool,
    /// Whether a held package is among them.
    pub held: bool,
}

/// apt on one machine.
#[derive(Debug)]
pub(super) struct Apt<'a> {
    machine: &'a Machine,
    configuration: Option<PathBuf>,
}

impl<'a> Apt<'a> {
    /// apt on this machine.
    ///
    /// # Errors
    /// When the configuration for another root cannot be written.
    pub(super) fn new(machine: &'a Machine) -> Result<Self, ApplyError> {
        if machine.is_live() {
            return Ok(Self { machine, configuration: None });
        }
        let path = machine.state().join("apt.conf");
        let root = machine.path("/").display().to_string();
        let text = format!(
            "Dir \"{root}\";\nDir::State::status \"{root}/var/lib/dpkg/status\";\n\
             Dir::Bin::methods \"/usr/lib/apt/methods\";\nDir::Bin::dpkg \"/usr/bin/dpkg\";\n\
             DPkg::Options:: \"--root={root}\";\n"
        );
        replace(&path, text.as_bytes(), 0o600)
            .map_err(|source| ApplyError::File { path: path.display().to_string(), source })?;
        Ok(Self { machine, configuration: Some(path) })
    }

    /// Fetches all lists.
    pub(super) async fn update(&self) -> Result<(), ProgramError> {
        self.apt_get().arg("update").timeout(UPDATE_TIMEOUT).run().await?;
        Lists::of(self.machine).set_fresh();
        Ok(())
    }

    /// Fetches the lists of one repository, strictly, and leaves the others alone.
    pub(super) async fn update_only(&self, name: &RepositoryName) -> Result<(), ProgramError> {
        let file = self.machine.path(name.path()).display().to_string();
        let lists = Lists::of(self.machine);
        let age = lists.age();
        let options = [
            format!("Dir::Etc::sourcelist={file}"),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            "APT::Get::List-Cleanup=0".to_owned(),
            "APT::Update::Error-Mode=any".to_owned(),
        ];
        let program = options.into_iter().fold(self.apt_get(), |program, option| program.arg("-o").arg(option));
        program.arg("update").timeout(UPDATE_TIMEOUT).run().await?;
        lists.set_age(age);
        Ok(())
    }

    /// What a change would do.
    pub(super) async fn simulate(&self, words: &Words, sweep: bool) -> Result<Simulation, ProgramError> {
        let program = self.change(words).arg("--simulate");
        let program = if sweep { program.arg("--auto-remove") } else { program };
        Ok(Simulation::parse(&program.run().await?.text()))
    }

    /// Does a change.
    pub(super) async fn run(&self, words: &Words) -> Result<(), ProgramError> {
        self.change(words).timeout(CHANGE_TIMEOUT).run().await?;
        Ok(())
    }

    fn change(&self, words: &Words) -> Program {
        // Without Pattern-Only, a name that apt does not know and that holds a dot is taken for a regular expression.
        let options = [
            "APT::Cmd::Pattern-Only=true".to_owned(),
            format!("APT::Install-Recommends={}", words.recommends),
            "APT::Install-Suggests=false".to_owned(),
            format!("DPkg::Lock::Timeout={LOCK_SECONDS}"),
            "Dpkg::Use-Pty=0".to_owned(),
            "DPkg::Options::=--force-confdef".to_owned(),
            "DPkg::Options::=--force-confold".to_owned(),
        ];
        let mut program = self.apt_get().args(["--assume-yes", "--fix-broken", "--allow-downgrades"]);
        if words.held {
            program = program.arg("--allow-change-held-packages");
        }
        let program = options.into_iter().fold(program, |program, option| program.arg("-o").arg(option));
        program.arg("install").args(words.words.clone())
    }

    /// Lets dpkg finish what it was interrupted in. A package that cannot be finished is left to apt.
    pub(super) async fn configure_pending(&self) -> Result<(), ProgramError> {
        let program = self.program("dpkg").args(["--force-confdef", "--force-confold", "--configure", "--pending"]);
        let program = match &self.configuration {
            Some(_) => program.arg(format!("--root={}", self.machine.path("/").display())),
            None => program,
        };
        match program.timeout(CHANGE_TIMEOUT).run().await {
            Err(ProgramError::Failed { .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Marks packages: `hold`, `unhold`, `manual`, `auto`.
    pub(super) async fn mark(&self, mark: &str, names: &[&Package]) -> Result<(), ProgramError> {
        if names.is_empty() {
            return Ok(());
        }
        self.program("apt-mark").arg(mark).args(names.iter().map(|name| name.as_str())).run().await?;
        Ok(())
    }

    /// The versions that apt could fetch.
    pub(super) async fn offered(
        &self,
        names: &[Package],
    ) -> Result<BTreeMap<Package, BTreeSet<Version>>, ProgramError> {
        let program = self.program("apt-cache").arg("madison").args(names.iter().map(Package::as_str));
        let text = program.run().await?.text();
        let mut offered: BTreeMap<Package, BTreeSet<Version>> =
            names.iter().map(|name| (name.clone(), BTreeSet::new())).collect();
        for line in text.lines() {
            let mut fields = line.split('|').map(str::trim);
            let (Some(Ok(name)), Some(Ok(version))) = (fields.next().map(str::parse), fields.next().map(str::parse))
            else {
                continue;
            };
            offered.entry(name).or_default().insert(version);
        }
        Ok(offered)
    }

    fn apt_get(&self) -> Program {
        self.program("apt-get").arg("--quiet")
    }

    fn program(&self, name: &str) -> Program {
        let program = ENVIRONMENT.iter().fold(Program::new(name), |program, (name, value)| program.env(name, *value));
        match &self.configuration {
            Some(path) => program.env("APT_CONFIG", path),
            None => program,
        }
    }
}
