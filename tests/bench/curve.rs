//! What more servers and more resources cost: files on 1 to 15 servers, and 1 to 500 of them on one, by stead, pyinfra and
//! Ansible.
//!
//! The servers are system containers of this machine, so what they do at the same time they do on the same processors.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::container::Container;
use stead_tests::host::Host;
use stead_tests::{policy, program};
use tempfile::TempDir;

use crate::peers;
use crate::sample::{Sample, output, timed};
use crate::table::Table;

const HOSTS: [usize; 4] = [1, 5, 10, 15];
/// Files on each of several servers.
const EACH: usize = 20;
const RESOURCES: [usize; 3] = [1, 100, 500];
const RUNS: usize = 3;
/// From here on a run takes minutes.
const MANY: usize = 100;
const GRANTS: &str = include_str!("../e2e/all.toml");

pub(crate) fn measure() -> Result<Vec<Table>> {
    let fleet = Fleet::start(HOSTS.into_iter().max().unwrap_or_default())?;
    let mut tables = Vec::new();
    for hosts in HOSTS {
        tables.extend(fleet.of(hosts, EACH)?);
    }
    for resources in RESOURCES {
        tables.extend(fleet.of(1, resources)?);
    }
    Ok(tables)
}

struct Tool {
    name: &'static str,
    command: Command,
    /// What it says when it has changed something; `None`: it says how it went file by file.
    changed: Option<&'static str>,
}

/// Fresh servers, and an operator who reaches all of them.
struct Fleet {
    names: Vec<String>,
    /// `stead.toml`, the policy, and how ssh finds the servers.
    folder: TempDir,
    stead: PathBuf,
    python: PathBuf,
    _servers: Vec<Container>,
}

impl Fleet {
    fn start(count: usize) -> Result<Self> {
        let names: Vec<_> = (1..=count).map(|number| format!("h{number:02}")).collect();
        let (folder, mut servers, mut ways) = (tempfile::tempdir()?, Vec::new(), String::new());
        for name in &names {
            eprintln!("Booting {name}…");
            let server = Container::start(name)?;
            server.ssh("DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-minimal")?.ok()?;
            ways += &fs::read_to_string(server.ssh_config())?;
            servers.push(server);
        }
        fs::write(folder.path().join("ssh_config"), ways)?;
        fs::copy(policy::component("all", "tests/e2e/policy")?, folder.path().join("all.wasm"))?;
        Ok(Self { names, folder, stead: program::stead()?, python: peers::python()?, _servers: servers })
    }

    /// What files on the first servers take: to make them, and to find that there is nothing to do.
    fn of(&self, hosts: usize, files: usize) -> Result<[Table; 2]> {
        eprintln!("{files} files on {hosts} servers…");
        let names = &self.names[..hosts];
        self.declare(names, files)?;
        let tool = |name, command, changed| Tool { name, command, changed };
        let tools = [
            tool("stead", self.stead(names), Some("steps done")),
            tool("pyinfra", self.pyinfra(names, files), None),
            tool("ansible-playbook", self.ansible(names, files), Some("changed=1")),
        ];
        let (mut first, mut again) =
            (Table::new(title(hosts, files, "made")), Table::new(title(hosts, files, "nothing to do")));
        for Tool { name, mut command, changed } in tools {
            // What another one made is not made once more.
            self.everywhere(names, "rm -rf /etc/small && mkdir /etc/small")?;
            first = first.row(name, Sample::of(vec![timed(&mut command)?])?);
            let mut times: Vec<Duration> = Vec::new();
            for _ in 0..if files > MANY { 1 } else { RUNS } {
                let (took, said) = output(&mut command)?;
                ensure!(changed.is_none_or(|words| !said.contains(words)), "{name} found something to do:\n{said}");
                times.push(took);
            }
            self.everywhere(names, &format!("test $(ls /etc/small | wc -l) = {files}"))?;
            again = again.row(name, Sample::of(times)?);
        }
        Ok([first, again])
    }

    fn declare(&self, names: &[String], files: usize) -> Result<()> {
        let host = |name: &String| format!("[host.{name}]\naddress = \"root@{name}\"\npolicies = [\"all\"]\n");
        let file = |number| format!("\"/etc/small/{number}\" = \"{number}\\n\"\n");
        let text = format!(
            "{}{GRANTS}[policy.all.config.files]\n{}",
            names.iter().map(host).collect::<String>(),
            (0..files).map(file).collect::<String>()
        );
        Ok(fs::write(self.path("stead.toml"), text)?)
    }

    fn everywhere(&self, names: &[String], line: &str) -> Result<()> {
        for name in names {
            timed(Command::new("ssh").arg("-F").arg(self.path("ssh_config")).args([name, line]))?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn stead(&self, names: &[String]) -> Command {
        let mut command = Command::new(&self.stead);
        command.arg("--state").arg(self.path("state")).args(["apply", "--yes"]).args(names);
        command.current_dir(self.folder.path()).env("STEAD_SSH_CONFIG", self.path("ssh_config"));
        command
    }

    fn pyinfra(&self, names: &[String], files: usize) -> Command {
        let mut command = self.peer("pyinfra");
        let inventory: Vec<_> = names.iter().map(|name| format!("@ssh/{name}")).collect();
        let config = format!("ssh_config_file={}", self.path("ssh_config").display());
        command.args(["-y", "--user", "root", "--data", &config]).arg(inventory.join(","));
        command.arg(peers::file("files.py")).env("BENCH_COUNT", files.to_string());
        command
    }

    fn ansible(&self, names: &[String], files: usize) -> Command {
        let mut command = self.peer("ansible-playbook");
        command
            .arg("--inventory")
            .arg(names.join(",") + ",")
            .args(["--user", "root", "--forks"])
            .arg(names.len().to_string());
        command.arg(format!("--ssh-common-args=-F {}", self.path("ssh_config").display()));
        command.arg(format!("--extra-vars=count={files}"));
        command.arg("--extra-vars=ansible_python_interpreter=/usr/bin/python3").arg(peers::file("files.yaml"));
        command
    }

    fn peer(&self, program: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.python.with_file_name(program)).env("LC_ALL", "C.UTF-8").env("ANSIBLE_PIPELINING", "True");
        command.env("ANSIBLE_HOME", self.path("ansible")).env("ANSIBLE_SSH_CONTROL_PATH_DIR", self.path("cp"));
        command
    }
}

fn title(hosts: usize, files: usize, what: &str) -> String {
    format!("{files} files on each of {hosts} servers: {what}")
}
