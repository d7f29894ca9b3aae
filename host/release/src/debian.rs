//! The Debian package: program, units, manual pages, completions and documents, as Debian's policy has them.
//!
//! It starts nothing, for stead has no repo yet when it is installed; and what stead has written down of the machine is not
//! taken away with it, for then nobody could undo what it did.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::{Compression, GzBuilder};

use crate::{Commit, ReleaseError, Target, at, output};

mod stage;
mod units;

use stage::Stage;

const CONTROL: &str = include_str!("debian/control");
const COPYRIGHT: &str = include_str!("debian/copyright");
/// What lintian(1) would complain about, and why not.
const OVERRIDES: &str = include_str!("debian/lintian-overrides");
const README: &str = include_str!("debian/README.Debian");
const CHANGES: &str = include_str!("../../../CHANGELOG.md");
/// What dpkg runs; `deb-systemd-helper` and `deb-systemd-invoke` are as debhelper calls them.
const SCRIPTS: [(&str, &str); 3] = [
    ("postinst", include_str!("debian/postinst")),
    ("prerm", include_str!("debian/prerm")),
    ("postrm", include_str!("debian/postrm")),
];
const DOCUMENTS: &str = "usr/share/doc/stead";

/// What goes into a package beside what is the same in each.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub program: &'a Path,
    /// The same program for this machine: it prints manual pages and completions.
    pub native: &'a Path,
    pub bill: &'a Path,
    pub licences: &'a Path,
    pub pressed: Pressed,
}

/// How much time is spent on the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// For a release.
    Small,
    /// For a test.
    Quickly,
}

/// Writes the package into `out`, under the name that Debian gives it.
///
/// # Errors
/// When a program fails or a file cannot be written.
pub fn package(commit: &Commit, target: Target, parts: &Parts<'_>, out: &Path) -> Result<PathBuf, ReleaseError> {
    let stage = Stage::new()?;
    stage.program("usr/bin/stead", parts.program)?;
    for (name, text) in units::all() {
        stage.file(&format!("usr/lib/systemd/system/{name}"), text.as_bytes())?;
    }
    manual(&stage, parts.native)?;
    completions(&stage, parts.native)?;
    documents(&stage, commit, parts)?;
    control(&stage, commit, target)?;
    let package = out.join(format!("stead_{}_{}.deb", commit.debian_version(), target.debian()));
    build(&stage, commit, parts.pressed, &package)?;
    Ok(package)
}

fn manual(stage: &Stage, native: &Path) -> Result<(), ReleaseError> {
    let folder = tempfile::tempdir().map_err(at(Path::new("/tmp")))?;
    output(Command::new(native).arg("man").arg(folder.path()))?;
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(at(folder.path()))?;
    pages.sort();
    for page in pages {
        let text = std::fs::read(&page).map_err(at(&page))?;
        let name = page.file_name().unwrap_or_default().to_string_lossy().into_owned();
        stage.file(&format!("usr/share/man/man1/{name}.gz"), &zipped(&text)?)?;
    }
    Ok(())
}

fn completions(stage: &Stage, native: &Path) -> Result<(), ReleaseError> {
    for (shell, path) in [
        ("bash", "usr/share/bash-completion/completions/stead"),
        ("zsh", "usr/share/zsh/vendor-completions/_stead"),
        ("fish", "usr/share/fish/vendor_completions.d/stead.fish"),
    ] {
        let script = output(Command::new(native).args(["completions", shell]))?;
        stage.file(path, script.as_bytes())?;
    }
    Ok(())
}

fn documents(stage: &Stage, commit: &Commit, parts: &Parts<'_>) -> Result<(), ReleaseError> {
    let read = |path: &Path| std::fs::read(path).map_err(at(path));
    let changelog = format!(
        "stead ({}) unstable; urgency=medium\n\n  * Commit {}.\n  * What is new is in changelog.gz.\n\n -- {}  {}\n",
        commit.debian_version(),
        commit.id,
        commit.by,
        commit.mail_date
    );
    for (name, content) in [
        ("copyright", COPYRIGHT.as_bytes().to_vec()),
        ("README.Debian", README.as_bytes().to_vec()),
        ("changelog.gz", zipped(CHANGES.as_bytes())?),
        ("changelog.Debian.gz", zipped(changelog.as_bytes())?),
        ("stead.cdx.json.gz", zipped(&read(parts.bill)?)?),
        ("licences.txt.gz", zipped(&read(parts.licences)?)?),
    ] {
        stage.file(&format!("{DOCUMENTS}/{name}"), &content)?;
    }
    stage.file("usr/share/lintian/overrides/stead", OVERRIDES.as_bytes())
}

fn control(stage: &Stage, commit: &Commit, target: Target) -> Result<(), ReleaseError> {
    let text = CONTROL
        .replace("{version}", &commit.debian_version())
        .replace("{architecture}", target.debian())
        .replace("{maintainer}", &commit.by)
        .replace("{size}", &stage.kibibytes()?.to_string());
    stage.file("DEBIAN/control", text.as_bytes())?;
    stage.file("DEBIAN/md5sums", stage.md5sums()?.as_bytes())?;
    SCRIPTS.iter().try_for_each(|(name, text)| stage.script(&format!("DEBIAN/{name}"), text))
}

fn build(stage: &Stage, commit: &Commit, pressed: Pressed, package: &Path) -> Result<(), ReleaseError> {
    let how = match pressed {
        Pressed::Small => ["-Zxz", "-z6"],
        Pressed::Quickly => ["-Zgzip", "-z1"],
    };
    let mut build = Command::new("dpkg-deb");
    // One thread, for with more of them there are other bytes. It clamps times to the epoch.
    build.args(["--root-owner-group", "--uniform-compression", "--threads-max=1"]).args(how).arg("--build");
    build.arg(stage.folder()).arg(package).env("SOURCE_DATE_EPOCH", commit.time.to_string());
    output(&mut build).map(drop)
}

/// As `gzip -9n` does.
fn zipped(content: &[u8]) -> Result<Vec<u8>, ReleaseError> {
    let mut writer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    writer.write_all(content).and_then(|()| writer.finish()).map_err(at(Path::new("gzip")))
}
