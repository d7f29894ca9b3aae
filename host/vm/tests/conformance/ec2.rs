//! EC2's API as `moto` (PyPI) serves it on loopback. It starts no machines, so what needs one is left to local machines.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::moto;
use stead_tests::run::run;
use stead_vm::name::VmName;
use stead_vm::provider::Provider;
use stead_vm::provider::ec2::{Credentials, Ec2, Settings};
use stead_vm::request::{Network, Size};
use tempfile::TempDir;

use crate::subject::{Subject, installation};

mod calls;

const REGIONS: [&str; 2] = ["eu-central-1", "eu-west-1"];

pub(crate) struct Moto {
    server: moto::Moto,
    folder: TempDir,
}

impl Moto {
    pub(crate) fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Result<Self> {
        // As EC2 does; off by default.
        let strict = [("MOTO_ENABLE_AMI_VALIDATION", "true"), ("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "true")];
        let settings: Vec<_> = strict.into_iter().chain(settings.iter().copied()).collect();
        Ok(Self { server: moto::Moto::start(&settings)?, folder: tempfile::tempdir()? })
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
            endpoint: Some(self.server.endpoint().to_owned()),
            subnet: None,
            security_groups: Vec::new(),
            private: false,
        }
    }

    /// Another client, as an administrator would use it: boto3, which came with moto.
    pub(crate) fn boto(&self, program: &str) -> Result<String> {
        let mut all = String::from("import boto3\n");
        for region in REGIONS {
            all += &format!(
                "ec2 = boto3.client('ec2', region_name='{region}', endpoint_url='{}', \
                 aws_access_key_id='x', aws_secret_access_key='x')\n{program}\n",
                self.server.endpoint()
            );
        }
        run(Command::new(moto::python()?).arg("-c").arg(all), Duration::from_secs(60))?.ok()
    }
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
