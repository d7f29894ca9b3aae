//! Every link of the manual that stays in the repo leads to a file, and to a heading that is there.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use crate::page::{self, workspace};

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let mut wrong = Vec::new();
    for page in page::all()? {
        let folder = page.path.parent().unwrap_or(Path::new(""));
        for (event, range) in Parser::new(&page.text).into_offset_iter() {
            let Event::Start(Tag::Link { dest_url, .. }) = event else { continue };
            if dest_url.contains("://") || dest_url.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = dest_url.split_once('#').map_or((&*dest_url, None), |(file, at)| (file, Some(at)));
            let target = if file.is_empty() { page.path.clone() } else { folder.join(file) };
            let target = workspace().join(target);
            let is_there = match heading {
                None => target.exists(),
                Some(heading) => {
                    fs::read_to_string(target).is_ok_and(|text| headings(&text).contains(&heading.to_owned()))
                }
            };
            if !is_there {
                let line = page.text[..range.start].lines().count();
                wrong.push(format!("{}:{line}: {dest_url}", page.path.display()));
            }
        }
    }
    ensure!(wrong.is_empty(), "links to nowhere:\n{}", wrong.join("\n"));
    Ok(())
}

/// The names of headings, as they are made of their words.
fn headings(text: &str) -> Vec<String> {
    let (mut names, mut open) = (Vec::new(), None);
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => open = Some(String::new()),
            Event::Text(words) | Event::Code(words) => open.iter_mut().for_each(|name| name.push_str(&words)),
            Event::End(TagEnd::Heading(_)) => names.extend(open.take().map(|name| name_of(&name))),
            _ => {}
        }
    }
    names
}

fn name_of(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|char| char.is_alphanumeric() || matches!(char, '-' | '_')).collect()
}

#[test]
fn headings_have_the_names_that_links_use() {
    assert_eq!(headings("# What `stead` does, and why\n\ntext\n"), ["what-stead-does-and-why"]);
}
