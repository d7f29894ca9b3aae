//! `stead app clean`: remove the images and the build cache that no app needs.

use std::time::Duration;

use clap::Args;

use crate::capability::compose::{Cleaned, Unused, Waste, shown};
use crate::cli::Context;
use crate::cli::asking::{ask, unexpected};
use crate::cli::progress::{Progress, count};
use crate::cli::prompt;
use crate::cli::size::bytes;
use crate::cli::status::json;
use crate::cli::targets::{Machine, anywhere};
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::policy::printable;
use crate::repo::Repo;
use crate::session::{Request, Tidy};

/// How many revisions keep their images when nothing says so.
const KEEP: u32 = 3;

/// Remove the images and the build cache that no app needs.
///
/// What would go is shown first. Of images only those go that stead brought to the host, and that no container, no
/// other name and none of the last revisions needs, so that a rollback to one of these needs no network. Nothing is
/// forced.
#[derive(Debug, Args)]
pub(in crate::cli) struct Clean {
    /// The host; this machine when there is none.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// How many revisions keep their images; `keep-images` of the host in stead.toml, or else 3.
    #[arg(long, value_name = "REVISIONS", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// How many days build cache stays that no build uses.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    cache_days: u32,
    /// Do it without asking.
    #[arg(long, short)]
    yes: bool,
    /// Only show what would go, for machines: one JSON document.
    #[arg(long, conflicts_with = "yes")]
    json: bool,
}

impl Clean {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, self.target.as_deref())?;
        let keep = self.keep.or_else(|| kept(context, &machine)).unwrap_or(KEEP);
        let tidy = Tidy { keep, unused_for: Duration::from_secs(u64::from(self.cache_days) * 86_400) };
        let progress = || Progress::new(context.terminal, None);
        let answer = ask(&machine, Request::AppWaste { tidy }, progress()).await?;
        let Event::Waste { waste } = answer else { return Err(unexpected()) };
        if self.json {
            context.terminal.print(&json(&waste));
            return Ok(Exit::Done);
        }
        context.terminal.print(&text(&waste, keep));
        if waste == Waste::default() {
            return Ok(Exit::Done);
        }
        match self.yes.then_some(true).or_else(|| prompt::yes("Remove it?")) {
            Some(true) => {}
            Some(false) => return Ok(Exit::Declined),
            None => {
                let nobody = Failure::new(Blame::Operator, Exit::Usage, &"there is no terminal to ask on");
                return Err(nobody.help("add --yes"));
            }
        }
        let answer = ask(&machine, Request::CleanApps { tidy, agreed: waste }, progress()).await?;
        let Event::Cleaned { cleaned } = answer else { return Err(unexpected()) };
        context.terminal.print(&done(&cleaned));
        Ok(Exit::Done)
    }
}

/// What the host's table says.
fn kept(context: &Context, machine: &Machine) -> Option<u32> {
    Repo::open(&context.repo).ok()?.host(&machine.label)?.keep_images
}

fn text(waste: &Waste, keep: u32) -> String {
    let line = |image: &Unused| format!("  image {}, {}\n", printable(&shown(image)), bytes(image.size));
    let mut text: String = waste.images.iter().map(line).collect();
    if waste.cache.entries > 0 {
        let entries = count(usize::try_from(waste.cache.entries).unwrap_or(usize::MAX), "piece");
        text.push_str(&format!("  {entries} of build cache, {}\n", bytes(waste.cache.size)));
    }
    match text.is_empty() {
        true => {
            format!("nothing to remove: all is in use, or needed by the last {}\n", count(keep as usize, "revision"))
        }
        false => format!("would go, needed by none of the last {}:\n{text}", count(keep as usize, "revision")),
    }
}

fn done(cleaned: &Cleaned) -> String {
    let images = count(usize::try_from(cleaned.images).unwrap_or(usize::MAX), "image");
    let left = cleaned.left.iter().map(|what| format!("stays: {}\n", printable(what)));
    format!("removed {images}, and {} of build cache\n", bytes(cleaned.cache)) + &left.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::compose::Cache;

    #[test]
    fn says_what_would_go() {
        let image = |names: &[&str], size| Unused {
            id: "sha256:0123456789abcdef".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            size,
        };
        let images = vec![image(&["app:1", "app:old"], 5 << 20), image(&[], 1000)];
        insta::assert_snapshot!(text(&Waste { images, cache: Cache { entries: 1, size: 2048 } }, 3), @r"
        would go, needed by none of the last 3 revisions:
          image app:1, app:old, 5.0 MiB
          image 0123456789ab, 1000 B
          1 piece of build cache, 2.0 KiB
        ");
        assert!(text(&Waste::default(), 1).ends_with("by the last 1 revision\n"));
    }
}
