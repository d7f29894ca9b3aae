//! From the WIT interface `file` to a spec.

use super::{Content, File, Form, Part, Spec};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest, Invalid};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/file@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::file;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    file::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl file::Host for Guest {
    fn write(
        &mut self,
        path: String,
        content: Vec<file::Part>,
        attributes: file::Attributes,
        validate: Vec<String>,
    ) -> Result<(), Error> {
        let file::Attributes { mode, owner, group } = attributes;
        let content = content.into_iter().map(part).collect::<Result<Vec<_>, _>>().map(Content::new);
        let form = content.and_then(|content| Form::file(content, mode, owner, group, validate));
        self.stage::<File>(spec(&path, form))
    }

    fn directory(&mut self, path: String, attributes: file::Attributes) -> Result<(), Error> {
        let file::Attributes { mode, owner, group } = attributes;
        self.stage::<File>(spec(&path, Form::directory(mode, owner, group)))
    }

    fn symlink(&mut self, path: String, target: String) -> Result<(), Error> {
        self.stage::<File>(spec(&path, Form::symlink(target)))
    }

    fn absent(&mut self, path: String) -> Result<(), Error> {
        self.stage::<File>(spec(&path, Ok(Form::Absent {})))
    }
}

fn spec(path: &str, form: Result<Form, Invalid>) -> Result<Spec, Invalid> {
    Spec::parse(path, form?)
}

fn part(part: file::Part) -> Result<Part, Invalid> {
    match part {
        file::Part::Text(text) => Ok(Part::Text(text)),
        file::Part::Bytes(bytes) => Ok(Part::Bytes(bytes)),
        file::Part::Secret(name) if name.is_empty() => Err(Invalid::new("content", "a secret has no name")),
        file::Part::Secret(name) => Ok(Part::Secret(name)),
    }
}
