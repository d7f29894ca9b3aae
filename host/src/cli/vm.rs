//! `stead vm`: the machines of jobs, and the images that they are made from.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use stead_vm::machine;
use stead_vm::request::Size;

use super::Context;
use super::service;
use super::table::table;
use crate::error::Failure;
use crate::exit::Exit;
use crate::job::{import_image, warm_image};
use crate::repo::Repo;

/// Look after the machines of jobs.
#[derive(Debug, Subcommand)]
pub(super) enum Vm {
    Ls(Ls),
    Import(Import),
    Warm(Warm),
}

/// List all machines: provider, state, the job and the run that own it, size, age and cost so far.
#[derive(Debug, Args)]
pub(super) struct Ls {}

/// Keep an image for the provider `qemu`, and print its digest, by which jobs ask for it.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// A disk, qcow2 or raw, or a folder with a `disk`, and a `kernel` and an `initramfs` to boot it directly.
    image: PathBuf,
}

/// Boot a machine of an image once, and keep it as a template of the provider `qemu`: machines of jobs that ask for this image and size
/// resume it instead of booting. Each gets keys, a name, a machine id and random numbers of its own; the template has none.
#[derive(Debug, Args)]
pub(super) struct Warm {
    /// The digest that `stead vm import` has printed.
    #[arg(value_name = "DIGEST")]
    image: String,
    /// Virtual processors.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    cpus: u16,
    /// Memory in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    memory: u32,
    /// The disk in GiB.
    #[arg(long, value_name = "GIB", default_value_t = 10)]
    disk: u32,
}

impl Vm {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (repo, state) = (Repo::open(&context.repo)?, &context.place.state);
        match self {
            Self::Ls(_) => {
                let all = service::open(context, &repo).await?.machines().await?;
                let rows = all.iter().flat_map(|(provider, machines)| machines.iter().map(move |vm| row(provider, vm)));
                context.terminal.print(&table(&rows.collect::<Vec<_>>()));
            }
            Self::Warm(Warm { image, cpus, memory, disk }) => {
                let size = Size::Measured { cpus, memory_mib: memory, disk_gib: disk };
                warm_image(&repo, state, &image, &size).await?;
            }
            Self::Import(import) => {
                let digest = import_image(&repo, state, &import.image)?;
                context.terminal.print(&format!("{digest}\n"));
            }
        }
        Ok(Exit::Done)
    }
}

fn row(provider: &str, vm: &machine::Vm) -> [String; 7] {
    let age = SystemTime::now().duration_since(vm.created).unwrap_or_default();
    let cost = vm.price.as_ref().map(|price| {
        let micros = u128::from(price.micros_per_hour) * age.as_millis() / 3_600_000;
        format!("{}.{:02} {}", micros / 1_000_000, micros / 10_000 % 100, price.currency)
    });
    let owner = vm.owner();
    [
        vm.name.as_str().to_owned(),
        provider.to_owned(),
        format!("{:?}", vm.state).to_lowercase(),
        format!("job {}, run {}", owner.job, owner.attempt),
        vm.size.clone(),
        humantime::format_duration(Duration::from_secs(age.as_secs())).to_string(),
        cost.unwrap_or_default(),
    ]
}
