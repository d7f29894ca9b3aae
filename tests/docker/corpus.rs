//! Compose files of all kinds, each brought up once by stead and once by docker compose: what Docker says of both must
//! be the same, and neither may have anything left to do after the other.
//!
//! `STEAD_COMPOSE_CORPUS` names a folder of other people's files to be tried as well: `NAME.yaml`, or `NAME/` with a
//! compose file in it. Their images are replaced by an imported one that runs whatever it is told to.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

mod case;
mod compare;
mod substitute;

use case::Case;

const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/corpus/cases");

/// One test a file of our own corpus.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() -> Result<()> {
            let differences = Case::of(&find(Path::new(OWN), stringify!($name))?)?.differences()?;
            ensure!(differences.is_empty(), "{}", differences.join("\n"));
            Ok(())
        })+
        const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

cases!(
    aliases,
    anchors,
    annotations,
    build,
    capabilities,
    commands,
    completed,
    configs,
    cpus,
    dependencies,
    devices,
    dns,
    environment,
    extends,
    external,
    health,
    hosts,
    idle,
    included,
    interpolated,
    ipam,
    labels,
    links,
    logging,
    memory,
    mounts,
    names,
    namespaces,
    networks,
    overrides,
    ports,
    profiles,
    replicas,
    restart,
    secrets,
    security,
    shared,
    signals,
    stopping,
    storage,
    sysctls,
    tmpfs,
    ulimits,
    users,
    volumes,
);

#[test]
fn every_file_of_ours_is_tried() -> Result<()> {
    let found: Vec<_> = entries(Path::new(OWN))?.iter().map(|path| name(path)).collect();
    assert_eq!(found, NAMES);
    Ok(())
}

#[test]
fn files_of_others() -> Result<()> {
    let Some(folder) = std::env::var_os("STEAD_COMPOSE_CORPUS") else { return Ok(()) };
    let mut differences = Vec::new();
    let paths = entries(Path::new(&folder))?;
    ensure!(!paths.is_empty(), "there is no compose file in {}", Path::new(&folder).display());
    for path in &paths {
        let found = Case::of(path).and_then(|case| case.differences());
        let found = found.unwrap_or_else(|error| vec![format!("not tried: {error:#}")]);
        let verdict = if found.is_empty() { "the same".to_owned() } else { found.join("\n    ") };
        println!("{}: {verdict}", name(path));
        differences.extend(found.into_iter().map(|what| format!("{}: {what}", name(path))));
    }
    ensure!(differences.is_empty(), "{} differences in {} files", differences.len(), paths.len());
    Ok(())
}

/// The cases in a folder, by name: compose files, and folders.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<_> = listed.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.is_dir() || path.extension().is_some_and(|end| end == "yaml" || end == "yml"));
    paths.sort();
    Ok(paths)
}

fn find(folder: &Path, wanted: &str) -> Result<PathBuf> {
    entries(folder)?.into_iter().find(|path| name(path) == wanted).with_context(|| format!("there is no case {wanted}"))
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
