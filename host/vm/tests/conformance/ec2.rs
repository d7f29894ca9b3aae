//! EC2's API as `moto` (PyPI) serves it on loopback. It starts no machines, so what needs one is left to local machines.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::cache;
use stead_tests::run::{run, words};
use stead_tests::wait;
use stead_vm::name::VmName;
use stead_vm::provider::Provider;
use stead_vm::provider::ec2::{Credentials, Ec2, Settings};
use stead_vm::request::{Network, Size};
use tempfile::TempDir;

use crate::subject::{Subject, installation};

mod calls;

const VERSION: &str = "5.2.5";
const REGIONS: [&str; 2] = ["eu-central-1", "eu-west-1"];

pub(crate) struct Moto {
    server: Child,
    endpoint: String,
    folder: TempDir,
}

impl Moto {
    pub(crate) fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Result<Self> {
        let python = python()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let folder = tempfile::tempdir()?;
        let log = File::create(folder.path().join("moto.log"))?;
        // It ends with this process, however that ends.
        let mut command = words("setpriv --pdeathsig KILL");
        command.arg(python).args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port]);
        // As EC2 does; off by default.
        command.env("MOTO_ENABLE_AMI_VALIDATION", "true").env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "true");
        command.envs(settings.iter().copied());
        let server = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let endpoint = format!("http://127.0.0.1:{port}");
        let moto = Self { server, endpoint, folder };
        wait::until("moto", Duration::from_secs(60), || moto.get("/moto-api/data.json").map(Some))?;
        Ok(moto)
    }

    pub(crate) fn ec2(&self, name: &str) -> Result<Ec2> {
        Ok(Ec2::new(installation(name), self.settings())?)
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            regions: REGIONS.map(ToOwned::to_owned).into(),
            credentials: Credentials {
                access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
                secret_access_key: "a secret".into(),
                session_token: None,
            },
            endpoint: Some(self.endpoint.clone()),
            subnet: None,
            security_groups: Vec::new(),
            private: false,
        }
    }

    fn get(&self, path: &str) -> Result<String> {
        run(words("curl -sf").arg(format!("{}{path}", self.endpoint)), Duration::from_secs(20))?.ok()
    }

    /// Another client, as an administrator would use it: boto3, which came with moto.
    pub(crate) fn boto(&self, program: &str) -> Result<String> {
        let mut all = String::from("import boto3\n");
        for region in REGIONS {
            all += &format!(
                "ec2 = boto3.client('ec2', region_name='{region}', endpoint_url='{}', \
                 aws_access_key_id='x', aws_secret_access_key='x')\n{program}\n",
                self.endpoint
            );
        }
        run(Command::new(python()?).arg("-c").arg(all), Duration::from_secs(60))?.ok()
    }
}

/// Python with moto and boto3, installed once.
fn python() -> Result<PathBuf> {
    let entry = cache::entry("moto", &cache::key(&[VERSION]), |folder| {
        let folder = folder.join("python");
        run(words("python3 -m venv").arg(&folder), Duration::from_secs(120))?.ok()?;
        let mut install = Command::new(folder.join("bin/python3"));
        install.args(["-m", "pip", "install", "--quiet", &format!("moto[ec2,server]=={VERSION}")]);
        run(&mut install, Duration::from_secs(600))?.ok().map(drop)
    })?;
    Ok(entry.join("python/bin/python3"))
}

impl Subject for Moto {
    /// moto takes the token by which EC2 knows a call again, and does not heed it.
    const AT_ONCE: bool = false;
    const NETWORK: Network = Network::Open;

    fn provider(&self, installation: &str) -> Result<Box<dyn Provider>> {
        Ok(Box::new(self.ec2(installation)?))
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn image(&self) -> (String, Size) {
        ("ami-12c6146b".to_owned(), Size::Type("t3.micro".to_owned()))
    }

    fn lose(&self, name: &VmName) -> Result<()> {
        let said = self.boto(&format!(
            "for r in ec2.describe_instances(Filters=[{{'Name': 'tag:Name', 'Values': ['{name}']}}])['Reservations']:
  for i in r['Instances']: print(ec2.terminate_instances(InstanceIds=[i['InstanceId']]))"
        ))?;
        ensure!(!said.is_empty(), "there was no machine {name}");
        Ok(())
    }

    fn everything(&self) -> Result<Vec<String>> {
        let said = self.boto(
            "for r in ec2.describe_instances()['Reservations']:
  for i in r['Instances']:
    if i['State']['Name'] not in ('terminated', 'shutting-down'): print(i['InstanceId'])
for v in ec2.describe_volumes()['Volumes']: print(v['VolumeId'])
for k in ec2.describe_key_pairs()['KeyPairs']: print(k['KeyName'])
for a in ec2.describe_addresses()['Addresses']: print(a['AllocationId'])",
        )?;
        Ok(said.lines().map(ToOwned::to_owned).collect())
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
