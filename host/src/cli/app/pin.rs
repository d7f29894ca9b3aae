//! `stead app pin`: from the tags of images to the digests that they have now.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::author::FileError;
use crate::capability::compose::written::{self, Image};
use crate::cli::Context;
use crate::cli::registries::Registries;
use crate::cli::table::table;
use crate::digest::Digest;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::machine::replace;
use crate::policy::printable;
use crate::registry::{NotAReference, Reference, RegistryError, with_algorithm};
use crate::repo::{Place, Repo, nearest};

/// Write the digest that each image's tag has now into the compose files.
///
/// `image: redis:8` becomes `image: redis:8@sha256:…`: what runs is what was tried, until this is run and committed again.
///
/// Registries are asked as with `docker login`, or with the secret that [registry."HOST"] names. What is built, what a
/// variable names and what has no tag stays as it is. All are asked before any file is written.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pin {
    /// The apps; all in apps/ when there is none.
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    /// Write nothing, and end with 2 where a file has not the digest that the tag has now.
    #[arg(long)]
    check: bool,
}

/// A compose file of the repo.
struct File {
    path: PathBuf,
    /// From the repo's folder.
    label: String,
    text: String,
    images: Vec<Image>,
}

/// What a name becomes.
struct Named {
    name: String,
    how: String,
}

impl Pin {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let files = self.files(&repo)?;
        let (mut tags, mut rows, mut changed) = (Tags::default(), Vec::new(), Vec::new());
        for file in &files {
            let mut names = Vec::new();
            for image in &file.images {
                let named = tags.name(&repo, image).await.map_err(|failure| file.blamed(image, failure))?;
                rows.push([format!("{}:{}", file.label, image.line), printable(image.tagged()), named.how]);
                names.push(named.name);
            }
            let text = written::renamed(&file.text, file.images.iter().zip(names.iter().map(String::as_str)));
            if text != file.text {
                changed.push((&file.path, text));
            }
        }
        context.terminal.print(&table(&rows));
        if self.check {
            return Ok(if changed.is_empty() { Exit::Done } else { Exit::Changes });
        }
        for (path, text) in changed {
            write(path, &text).map_err(FileError::at(path))?;
        }
        Ok(Exit::Done)
    }

    /// The compose files of the apps, in the order of their names.
    fn files(&self, repo: &Repo) -> Result<Vec<File>, Failure> {
        let all = apps(&repo.apps()).map_err(FileError::at(&repo.apps()))?;
        if let Some(unknown) = self.apps.iter().find(|name| !all.contains(name)) {
            let meant =
                nearest(unknown, all.iter().map(String::as_str)).map(|meant| format!("did you mean `{meant}`?"));
            let message = format!("there is no folder apps/{}", printable(unknown));
            return Err(Failure::new(Blame::Operator, Exit::Usage, &message).maybe_help(meant));
        }
        let wanted = all.iter().filter(|name| self.apps.is_empty() || self.apps.contains(name));
        let mut files = Vec::new();
        for app in wanted {
            let folder = repo.apps().join(app);
            let is_there = |name: &&&str| folder.join(name).is_file();
            for name in [written::FILES, written::OVERRIDES].iter().filter_map(|names| names.iter().find(is_there)) {
                files.push(File::read(folder.join(name), format!("apps/{app}/{name}"))?);
            }
        }
        Ok(files)
    }
}

/// The folders in `apps/`, sorted.
fn apps(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

impl File {
    fn read(path: PathBuf, label: String) -> Result<Self, Failure> {
        let text = fs::read_to_string(&path).map_err(FileError::at(&path))?;
        let images = written::images(&text).map_err(|error| {
            Failure::new(Blame::Operator, Exit::Input, &format!("{label}, {}", printable(&error.to_string())))
        })?;
        Ok(Self { path, label, text, images })
    }

    fn blamed(&self, image: &Image, failure: Failure) -> Failure {
        let at = (image.place.start, image.place.len());
        Failure { place: Some(Place { file: self.label.clone(), text: self.text.clone(), at }), ..failure }
    }
}

/// What tags are, each asked for once.
#[derive(Default)]
struct Tags {
    registries: Registries,
    known: BTreeMap<Reference, Digest>,
}

impl Tags {
    async fn name(&mut self, repo: &Repo, image: &Image) -> Result<Named, Failure> {
        let stays = |why: &str| Named { name: image.name.clone(), how: format!("stays: {why}") };
        if image.name.contains('$') {
            return Ok(stays("a variable names it"));
        }
        let tagged = image.tagged();
        let before = image.name.get(tagged.len() + 1..).unwrap_or_default();
        let wrong = |error: NotAReference| Failure::new(Blame::Operator, Exit::Input, &error);
        let Some(reference) = Reference::of_image(tagged).map_err(wrong)? else { return Ok(stays("it has no tag")) };
        let digest = self.digest(repo, reference).await?;
        let (name, short) = (format!("{tagged}@{}", with_algorithm(&digest)), digest.short());
        let how = match before {
            _ if name == image.name => format!("{short}, as it was"),
            "" => format!("{short}, new"),
            before => {
                format!("{short}, was {}", before.trim_start_matches("sha256:").get(..short.len()).unwrap_or(before))
            }
        };
        Ok(Named { name, how })
    }

    async fn digest(&mut self, repo: &Repo, reference: Reference) -> Result<Digest, Failure> {
        if let Some(digest) = self.known.get(&reference) {
            return Ok(digest.clone());
        }
        let found = self.registries.of(Some(repo), &reference)?.manifest(&reference).await?;
        let (_, digest) = found.ok_or_else(|| RegistryError::NotFound(reference.clone()))?;
        self.known.insert(reference, digest.clone());
        Ok(digest)
    }
}

/// Whoever reads the file meanwhile has the one or the other; a link stays one.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
    replace(&path, text.as_bytes(), mode)
}
