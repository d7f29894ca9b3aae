//! Reads what is there.

use std::collections::{BTreeMap, BTreeSet};

use crate::capability::user::database::Database;
use crate::capability::user::{
    Account, Action, Entry, Fact, Found, Group, GroupSpec, Membership, Name, Placed, Spec, User, diff, sudoers,
};
use crate::capability::{Declared, ObserveError, Owned};
use crate::machine::inode::{Accounts, Inode, InodeError, Pathname};

/// All that is read before any single user is looked at.
struct View<'a> {
    database: Database,
    accounts: Accounts,
    specs: &'a [Declared<Spec>],
    owned: &'a Owned<Action>,
}

impl User {
    pub(in crate::capability::user) fn read(
        &self,
        specs: &[Declared<Spec>],
        owned: &Owned<Action>,
    ) -> Result<Fact, ObserveError> {
        let database = Database::read(&self.machine).map_err(|(path, source)| ObserveError::File { path, source })?;
        let accounts = Accounts::read(&self.machine)
            .map_err(|source| ObserveError::File { path: "/etc/passwd".to_owned(), source })?;
        let view = View { database, accounts, specs, owned };
        let users = view.users();
        let users = users.into_iter().map(|name| Ok((name.clone(), self.find(&view, &name)?)));
        Ok(Fact {
            users: users.collect::<Result<_, ObserveError>>()?,
            groups: view.groups().into_iter().map(|name| (name.clone(), view.group(&name))).collect(),
            uids: view.uids(),
            gids: view.gids(),
        })
    }

    fn find(&self, view: &View<'_>, name: &Name) -> Result<Found, ObserveError> {
        let record =
            |source| ObserveError::File { path: self.machine.state().join("users").display().to_string(), source };
        let entry = view.entry(name);
        let joined = self.joined(name).map_err(record)?;
        let is = |group: &String| if joined.contains(group) { Membership::Joined } else { Membership::Member };
        let groups = view.database.groups_of(name.as_str()).into_iter().map(|group| (group.clone(), is(&group)));
        let home = view.home(name, entry.as_ref());
        let inode = match &home {
            Some(home) => self.machine.look(home, &view.accounts, None).map(|look| look.inode),
            None => Ok(Inode::Absent),
        };
        Ok(Found {
            groups: groups.collect(),
            home: inode.or_else(|error| match error {
                InodeError::System(source) => Err(ObserveError::File { path: format!("the home of {name}"), source }),
                other => Ok(Inode::Other(other.to_string())),
            })?,
            home_of: home.as_ref().and_then(|home| view.home_of(name, home)),
            keys: self.keys(view, name, home.as_ref())?,
            sudo: self.sudo(view, name)?,
            removed: entry.is_none() && view.is_given_up(name) && self.kept_password(name).map_err(record)?.is_some(),
            entry,
        })
    }

    fn keys(&self, view: &View<'_>, name: &Name, home: Option<&Pathname>) -> Result<Placed, ObserveError> {
        let path = home.map(|home| home.child(".ssh").child("authorized_keys"));
        let mut placed = self.place(view, path)?;
        let declared = view.accounts_of(name).find_map(|account| account.authorized_keys.as_ref());
        placed.wanted = declared.map(|keys| self.machine.key().digest(diff::keys_text(keys).as_bytes()));
        // Another user's file, which a hard link may have brought here, is not shown.
        let own = placed.file.attributes().is_some_and(|attributes| attributes.owner == name.as_str());
        placed.text = placed.text.filter(|_| own);
        Ok(placed)
    }

    fn sudo(&self, view: &View<'_>, name: &Name) -> Result<Placed, ObserveError> {
        let mut placed = self.place(view, sudoers::path(name))?;
        let declared = view.accounts_of(name).find_map(|account| account.sudo);
        placed.wanted = declared.map(|sudo| self.machine.key().digest(sudoers::text(name, sudo).as_bytes()));
        Ok(placed)
    }

    /// What lies at a path and what directory it is in, unless it is something to keep out of.
    fn place(&self, view: &View<'_>, path: Option<Pathname>) -> Result<Placed, ObserveError> {
        let Some((path, directory)) = path.and_then(|path| Some((path.clone(), path.parent()?))) else {
            return Ok(Placed::default());
        };
        let mut placed = Placed { path: Some(path.clone()), ..Placed::default() };
        let mut look = |path: &Pathname| match self.machine.look(path, &view.accounts, None) {
            Ok(look) => Ok((look.inode, look.content)),
            Err(InodeError::System(source)) => Err(ObserveError::File { path: path.to_string(), source }),
            Err(other) => {
                placed.foreign = Some(other.to_string());
                Ok((Inode::Absent, Vec::new()))
            }
        };
        let (inode, _) = look(&directory)?;
        let is_directory = matches!(inode, Inode::Absent | Inode::Directory(_));
        let (file, content) = if is_directory { look(&path)? } else { (Inode::Absent, Vec::new()) };
        if !is_directory {
            placed.foreign = Some(format!("{directory} is a {}, which stead does not replace", inode.kind()));
        } else if !matches!(file, Inode::Absent | Inode::File { .. }) {
            placed.foreign = Some(format!("{path} is a {}, which stead does not replace", file.kind()));
        } else {
            placed.text = matches!(file, Inode::File { .. }).then(|| String::from_utf8(content).ok()).flatten();
        }
        Ok(Placed { directory: inode, file, ..placed })
    }
}

impl View<'_> {
    fn users(&self) -> BTreeSet<Name> {
        let declared = self.specs.iter().filter_map(|declared| match &declared.spec {
            Spec::Present(Account { name, .. }) | Spec::Absent(name) => Some(name.clone()),
            Spec::Group(_) => None,
        });
        declared.chain(self.owned.keys().filter_map(|resource| resource.parse().ok())).collect()
    }

    fn groups(&self) -> BTreeSet<Name> {
        let mut groups = self.users();
        for Declared { spec, .. } in self.specs {
            match spec {
                Spec::Present(account) => groups.extend(account.groups.iter().cloned()),
                Spec::Group(group) => groups.extend([group.name.clone()]),
                Spec::Absent(_) => {}
            }
        }
        groups.extend(self.owned.keys().filter_map(|resource| resource.strip_prefix("group/")?.parse().ok()));
        groups
    }

    fn accounts_of<'a>(&'a self, user: &'a Name) -> impl Iterator<Item = &'a Account> {
        self.specs.iter().filter_map(move |declared| match &declared.spec {
            Spec::Present(account) if account.name == *user => Some(account),
            _ => None,
        })
    }

    /// Whether it is owned and nobody declares it any more.
    fn is_given_up(&self, name: &Name) -> bool {
        let declared = self.specs.iter().any(|declared| declared.spec.resource() == name.as_str());
        !declared && self.owned.contains_key(name.as_str())
    }

    fn entry(&self, name: &Name) -> Option<Entry> {
        let entry = self.database.users.get(name.as_str())?.clone();
        let primary = Some(self.database.primary(entry.gid));
        let (comment, home, shell) = (entry.comment, entry.home, entry.shell);
        Some(Entry { uid: Some(entry.uid), primary, comment, home, shell, system: false })
    }

    /// Where its home directory is to be.
    fn home(&self, name: &Name, entry: Option<&Entry>) -> Option<Pathname> {
        if let Some(home) = self.accounts_of(name).find_map(|account| account.home.clone()) {
            return Some(home);
        }
        let released = match self.owned.get(name.as_str()) {
            Some(Some(Action::User(set))) if self.is_given_up(name) => set.to.as_ref(),
            _ => None,
        };
        match entry.or(released) {
            Some(entry) => entry.home.parse().ok(),
            None => diff::default_home(name).parse().ok(),
        }
    }

    fn home_of(&self, name: &Name, home: &Pathname) -> Option<String> {
        let mut others = self.database.users.iter().filter(|(other, _)| *other != name.as_str());
        others.find(|(_, entry)| entry.home == home.as_str()).map(|(other, _)| other.clone())
    }

    /// What is found of a group; who belongs to it only where it may be removed.
    fn group(&self, name: &Name) -> Option<Group> {
        let entry = self.database.groups.get(name.as_str())?;
        let declared = self.specs.iter().any(|declared| match &declared.spec {
            Spec::Group(group) => group.name == *name,
            _ => false,
        });
        if declared || !self.owned.contains_key(&format!("group/{name}")) {
            return Some(Group { gid: Some(entry.gid), ..Group::default() });
        }
        let primary_of = self.database.users.iter().find(|(_, user)| user.gid == entry.gid);
        Some(Group {
            gid: Some(entry.gid),
            members: entry.members.clone(),
            primary_of: primary_of.map(|(user, _)| user.clone()),
        })
    }

    fn uids(&self) -> BTreeMap<u32, String> {
        let declared = self.specs.iter().filter_map(|declared| match &declared.spec {
            Spec::Present(Account { uid, .. }) => *uid,
            _ => None,
        });
        let user = |uid| self.database.users.iter().find(|(_, user)| user.uid == uid);
        declared.filter_map(|uid| Some((uid, user(uid)?.0.clone()))).collect()
    }

    fn gids(&self) -> BTreeMap<u32, String> {
        let declared = self.specs.iter().filter_map(|declared| match &declared.spec {
            Spec::Group(GroupSpec { gid, .. }) => *gid,
            _ => None,
        });
        let group = |gid| self.database.groups.iter().find(|(_, group)| group.gid == gid);
        declared.filter_map(|gid| Some((gid, group(gid)?.0.clone()))).collect()
    }
}
