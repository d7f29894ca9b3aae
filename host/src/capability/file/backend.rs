//! The machine's own tree of files.

use super::{Content, Fact, File, Form, Found, Missing, Set, Spec};
use crate::capability::{ApplyError, Declared, ObserveError, Owned};
use crate::machine::inode::{Accounts, Attributes, Inode, InodeError, Look, Pathname};

mod validate;
mod withheld;

/// The longest text that a plan shows.
pub(super) const LONGEST_TEXT: usize = 64 << 10;

impl File {
    pub(super) fn read(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Fact, ObserveError> {
        let accounts = Accounts::read(&self.machine)
            .map_err(|source| ObserveError::File { path: "/etc/passwd".to_owned(), source })?;
        let mut fact = Fact::new();
        for Declared { spec, .. } in specs {
            // Another declaration of the same path is the same, or a conflict that diff names.
            if !fact.contains_key(&spec.path) {
                fact.insert(spec.path.clone(), self.find(spec, &accounts)?);
            }
        }
        for (resource, release) in owned {
            let Some(path) = resource.parse().ok().filter(|path| !fact.contains_key(path)) else { continue };
            let found = self.find_pruned(&path, release.as_ref().map(|set| &set.to), &accounts)?;
            fact.insert(path, found);
        }
        Ok(fact)
    }

    /// What is at a declared path.
    fn find(&self, spec: &Spec, accounts: &Accounts) -> Result<Found, ObserveError> {
        let (wanted, attributes) = match &spec.form {
            Form::File { content, attributes, .. } => {
                let bytes = content.resolve(&self.machine).map_err(|name| ObserveError::NoSecret { name })?;
                (Some(self.machine.key().digest(&bytes)), Some(attributes))
            }
            Form::Directory(attributes) => (None, Some(attributes)),
            _ => (None, None),
        };
        let look = self.look(&spec.path, accounts, attributes)?;
        let public = match &spec.form {
            Form::File { attributes, content, .. } => is_public(attributes) && !content.has_secret(),
            _ => true,
        };
        let same = matches!(&look.inode, Inode::File { digest, .. } if Some(digest) == wanted.as_ref());
        Ok(Found {
            wanted,
            text: if public && !same { self.text(&spec.path, &look)? } else { None },
            children: self.children(&spec.path, &look.inode, matches!(spec.form, Form::Directory(_)))?,
            missing: self.missing(spec, attributes, accounts)?,
            restored: None,
            inode: look.inode,
        })
    }

    /// What is at a path that is owned and no longer declared, and what it goes back to.
    fn find_pruned(
        &self,
        path: &Pathname,
        release: Option<&Inode>,
        accounts: &Accounts,
    ) -> Result<Found, ObserveError> {
        let look = self.look(path, accounts, release.and_then(Inode::attributes))?;
        let mut found = Found { inode: look.inode.clone(), ..Found::default() };
        let Some(release) = release.filter(|release| **release != look.inode) else { return Ok(found) };
        found.children = self.children(path, &look.inode, matches!(release, Inode::Directory(_)))?;
        if release.is_public() {
            found.text = self.text(path, &look)?;
        }
        if let Inode::File { digest, .. } = release
            && release.is_public()
            && look.inode.is_public()
        {
            let kept = self.machine.blobs().get(digest).map_err(|source| unreadable(path, source.into()))?;
            let look = Look { inode: release.clone(), content: kept.unwrap_or_default() };
            found.restored = self.text(path, &look)?;
        }
        Ok(found)
    }

    fn look(&self, path: &Pathname, accounts: &Accounts, preferred: Option<&Attributes>) -> Result<Look, ObserveError> {
        self.machine.look(path, accounts, preferred).map_err(|error| unreadable(path, error))
    }

    /// The content as text, when everybody on the machine may read it and it never held a secret of ours.
    fn text(&self, path: &Pathname, look: &Look) -> Result<Option<String>, ObserveError> {
        if !matches!(look.inode, Inode::File { .. }) || !look.inode.is_public() || look.content.len() > LONGEST_TEXT {
            return Ok(None);
        }
        if self.is_withheld(path).map_err(|source| unreadable(path, source.into()))? {
            return Ok(None);
        }
        Ok(std::str::from_utf8(&look.content).ok().map(str::to_owned))
    }

    fn children(
        &self,
        path: &Pathname,
        inode: &Inode,
        stays: bool,
    ) -> Result<Option<crate::machine::inode::Children>, ObserveError> {
        if stays || !matches!(inode, Inode::Directory(_)) {
            return Ok(None);
        }
        self.machine.children(path).map(Some).map_err(|error| unreadable(path, error))
    }

    fn missing(
        &self,
        spec: &Spec,
        attributes: Option<&Attributes>,
        accounts: &Accounts,
    ) -> Result<Missing, ObserveError> {
        // Of a machine whose files were not recorded nobody can say what it lacks.
        let unknown = !self.machine.has_kernel() && !self.machine.path("/etc").exists();
        if unknown || matches!(spec.form, Form::Absent {}) {
            return Ok(Missing::default());
        }
        let parent = self.machine.has_parent(&spec.path).map_err(|error| unreadable(&spec.path, error))?;
        Ok(Missing {
            parent: !parent,
            owner: attributes.is_some_and(|attributes| !accounts.has_user(&attributes.owner)),
            group: attributes.is_some_and(|attributes| !accounts.has_group(&attributes.group)),
        })
    }

    pub(super) async fn write(&self, set: &Set) -> Result<(), ApplyError> {
        let content = match (&set.to, &set.content) {
            (Inode::File { .. }, Some(content)) => Some(self.resolve(set, content).await?),
            _ => None,
        };
        self.machine.set(&set.path, &set.to, content.as_deref()).map_err(|error| refused(&set.path, error))
    }

    /// The bytes that the plan spoke of, accepted by the validation.
    async fn resolve(&self, set: &Set, content: &Content) -> Result<Vec<u8>, ApplyError> {
        let bytes = content.resolve(&self.machine).map_err(|name| ApplyError::NoSecret { name })?;
        let planned = matches!(&set.to, Inode::File { digest, .. } if *digest == self.machine.key().digest(&bytes));
        if !planned {
            let reason = "a secret in it has changed since the plan was made: plan again".to_owned();
            return Err(ApplyError::Refused { resource: format!("file {}", set.path), reason });
        }
        if content.has_secret() {
            self.withhold(&set.path).map_err(|error| refused(&set.path, error.into()))?;
        }
        self.validate(set, content, &bytes).await?;
        Ok(bytes)
    }
}

fn is_public(attributes: &Attributes) -> bool {
    attributes.mode.bits() & 0o004 != 0
}

fn unreadable(path: &Pathname, error: InodeError) -> ObserveError {
    match error {
        InodeError::System(source) => ObserveError::File { path: path.to_string(), source },
        other => ObserveError::Unreadable { resource: format!("file {path}"), reason: other.to_string() },
    }
}

fn refused(path: &Pathname, error: InodeError) -> ApplyError {
    match error {
        InodeError::System(source) => ApplyError::File { path: path.to_string(), source },
        InodeError::NoContent => ApplyError::NoBlob { path: path.to_string() },
        other => ApplyError::Refused { resource: format!("file {path}"), reason: other.to_string() },
    }
}
