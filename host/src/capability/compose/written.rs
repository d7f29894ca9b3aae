//! Where a compose file names images, so that each can be given another name and nothing else of the file changes.
//!
//! The Compose plugin tells the values of a file, and not their places. This finds places, and leaves all else to the plugin.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScanError, Span, Tag};

/// The names that the plugin looks for; of each list it takes the first that is there.
pub const FILES: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
pub const OVERRIDES: &[&str] =
    &["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// An image that a service pulls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub name: String,
    pub line: usize,
    /// Where the name stands, in bytes.
    pub place: Range<usize>,
}

/// The images of a text cannot be told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoImages {
    #[error("line {line}: {reason}")]
    Yaml { line: usize, reason: String },
    #[error("line {line}: {name:?} is not written as it is meant: write it plainly, so that it can be replaced")]
    Place { line: usize, name: String },
}

/// The images that services, and the fragments `x-…` that they take in, pull: not those that are built.
///
/// # Errors
/// When the text is no YAML.
pub fn images(text: &str) -> Result<Vec<Image>, NoImages> {
    let (mut open, mut images) = (Vec::new(), Vec::new());
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(unreadable)?;
        match event {
            Event::Scalar(value, _, _, tag) => {
                let value = value.as_ref();
                if let Some(service) = begins(&mut open, Some(value), tag.as_deref())
                    && service.key == "image"
                    && !is_reset(tag.as_deref())
                {
                    service.image = Some(Image::at(text, value, span)?);
                }
            }
            Event::Alias(_) => {
                begins(&mut open, None, None);
            }
            Event::SequenceStart(_, tag) => {
                begins(&mut open, None, tag.as_deref());
                open.push(Node::Sequence);
            }
            Event::MappingStart(_, tag) => {
                begins(&mut open, None, tag.as_deref());
                let is_service = is_service(&open);
                open.push(Node::Mapping(Mapping { is_service, ..Mapping::default() }));
            }
            Event::SequenceEnd => {
                open.pop();
            }
            Event::MappingEnd => {
                if let Some(Node::Mapping(Mapping { builds: false, image, .. })) = open.pop() {
                    images.extend(image);
                }
            }
            _ => {}
        }
    }
    images.sort_by_key(|image: &Image| image.place.start);
    Ok(images)
}

/// The text with these names instead of those that it has, in its order.
pub fn renamed<'a>(text: &str, names: impl DoubleEndedIterator<Item = (&'a Image, &'a str)>) -> String {
    names.rev().fold(text.to_owned(), |mut text, (image, name)| {
        text.replace_range(image.place.clone(), name);
        text
    })
}

/// What the parser is in.
#[derive(Debug)]
enum Node {
    Sequence,
    Mapping(Mapping),
}

#[derive(Debug, Default)]
struct Mapping {
    /// The last one that was read.
    key: String,
    /// Whether its value comes next.
    has_key: bool,
    is_service: bool,
    builds: bool,
    image: Option<Image>,
}

/// A node begins. When it is the value of a key of a service, that service is answered.
fn begins<'o>(open: &'o mut [Node], scalar: Option<&str>, tag: Option<&Tag>) -> Option<&'o mut Mapping> {
    let Some(Node::Mapping(mapping)) = open.last_mut() else { return None };
    mapping.has_key = !mapping.has_key;
    if mapping.has_key {
        mapping.key = scalar.unwrap_or_default().to_owned();
        return None;
    }
    mapping.builds |= mapping.key == "build" && !is_reset(tag);
    mapping.is_service.then_some(mapping)
}

/// Whether a mapping here is `services.NAME`, `x-…` or `x-….NAME`.
fn is_service(open: &[Node]) -> bool {
    match open {
        [Node::Mapping(top)] => top.key.starts_with("x-"),
        [Node::Mapping(top), Node::Mapping(_)] => top.key == "services" || top.key.starts_with("x-"),
        _ => false,
    }
}

/// `!reset` takes away what the file before said.
fn is_reset(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| tag.handle == "!" && tag.suffix == "reset")
}

impl Image {
    /// Its name without a digest.
    pub fn tagged(&self) -> &str {
        self.name.split_once('@').map_or(&self.name, |(tagged, _)| tagged)
    }

    fn at(text: &str, name: &str, span: Span) -> Result<Self, NoImages> {
        let line = span.start.line();
        let start = text.char_indices().nth(span.start.index()).map_or(text.len(), |(byte, _)| byte);
        let rest = text.get(start..).unwrap_or_default();
        let start = start + usize::from(rest.starts_with(['"', '\'']));
        let place = start..start + name.len();
        let found = Self { name: name.to_owned(), line, place };
        match text.get(found.place.clone()) {
            Some(written) if written == name => Ok(found),
            _ => Err(NoImages::Place { line, name: found.name }),
        }
    }
}

fn unreadable(error: ScanError) -> NoImages {
    NoImages::Yaml { line: error.marker().line(), reason: error.info().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# ü: bytes are not characters
x-worker: &worker
  image: team/worker:3 # ours
x-more:
  one: { build: ., image: built:1 }
  two: { image: 'quoted:1', environment: { image: none } }
services:
  worker:
    <<: *worker
  web: {image: \"nginx:1.28@sha256:00\", labels: [image, x]}
  own:
    build: { context: . }
    image: own
  over:
    build: !reset null
    image: redis:8
    volumes:
      - type: image
        source: data:1
        image: { subpath: a }
volumes:
  image: { name: x }
";

    #[test]
    fn finds_what_is_pulled_and_replaces_that_alone() -> Result<(), NoImages> {
        let found = images(FILE)?;
        let said: Vec<_> = found.iter().map(|image| (image.line, image.name.as_str())).collect();
        let expected = [(3, "team/worker:3"), (6, "quoted:1"), (10, "nginx:1.28@sha256:00"), (16, "redis:8")];
        assert_eq!(said, expected);
        let other = renamed(FILE, found.iter().zip(["a", "bb", "a-longer-name:than@before", "d"]));
        let lines = [
            "  image: a # ours",
            "  two: { image: 'bb', environment: { image: none } }",
            "  web: {image: \"a-longer-name:than@before\", labels: [image, x]}",
            "    image: d",
        ];
        let changed: Vec<_> =
            FILE.lines().zip(other.lines()).filter(|(before, after)| before != after).map(|(_, after)| after).collect();
        assert_eq!(changed, lines);
        Ok(())
    }

    #[test]
    fn what_cannot_be_told_is_said_with_its_line() {
        let said = |text| images(text).map_err(|error| error.to_string());
        assert!(said("services:\n  a: [\n").is_err_and(|error| error.starts_with("line ")));
        let escaped = "services:\n  a:\n    image: \"redis\\x3a8\"\n";
        assert!(said(escaped).is_err_and(|error| error.contains("line 3: \"redis:8\" is not written")));
        let folded = "services:\n  a:\n    image: >-\n      redis:8\n      more\n";
        assert!(said(folded).is_err());
        assert_eq!(said(""), Ok(Vec::new()));
        assert_eq!(said("[a, {image: b}]"), Ok(Vec::new()));
    }
}
