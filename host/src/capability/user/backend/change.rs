//! Sets a user: one thing after the other, each only when it differs, so that an interrupted run is simply done again.

use super::refused;
use crate::capability::ApplyError;
use crate::capability::user::database;
use crate::capability::user::shadow_utils::restore_password;
use crate::capability::user::{Entry, Membership, Name, Set, User};
use crate::machine::inode::Inode;

impl User {
    pub(in crate::capability::user) async fn set_user(&self, set: &Set) -> Result<(), ApplyError> {
        match &set.to {
            Some(to) => self.present(set, to).await,
            None => self.absent(set).await,
        }
    }

    async fn present(&self, set: &Set, to: &Entry) -> Result<(), ApplyError> {
        let Set { name, .. } = set;
        if !self.database()?.users.contains_key(name.as_str()) {
            self.add(set, to).await?;
        }
        self.modify(name, to).await?;
        for (group, membership) in &set.groups {
            self.set_membership(name, group, *membership).await?;
        }
        if let Ok(directory) = to.home.parse::<crate::machine::inode::Pathname>() {
            self.keep(&directory.child(".ssh").child("authorized_keys"))?;
        }
        if let Some(keys) = &set.keys {
            if keys.content.is_some() {
                self.own_home(name, &keys.path)?;
            }
            self.write(keys)?;
        }
        self.set_sudo(set).await
    }

    async fn set_sudo(&self, set: &Set) -> Result<(), ApplyError> {
        let Some(place) = &set.sudo else { return Ok(()) };
        if let (Inode::File { .. }, Some(text)) = (&place.file, &place.content) {
            self.validate_sudoers(&place.path, text).await?;
        }
        self.write(place)
    }

    async fn add(&self, set: &Set, to: &Entry) -> Result<(), ApplyError> {
        let Set { name, restored, .. } = set;
        // `*` is a password that nothing matches. The `!` of useradd(8) also locks the account, and sshd(8) without
        // PAM then refuses its keys.
        let mut tool = self.tool("useradd").option("--password", "*");
        tool = tool.option("--shell", &to.shell).option("--home-dir", &to.home).option("--comment", &to.comment);
        tool = tool.maybe("--uid", to.uid.map(|uid| uid.to_string()));
        tool = if to.system { tool.word("--system") } else { tool };
        // The home directory of one who comes back is as it was left, or is not there.
        tool = tool.word(if to.system || *restored { "--no-create-home" } else { "--create-home" });
        tool = match self.primary(name, to).await? {
            Some(group) => tool.option("--gid", group),
            None => tool.word("--user-group"),
        };
        tool.run(name.as_str()).await?;
        let kept = self.kept_password(name).map_err(|error| self.record_error(error))?;
        if let Some(password) = kept.filter(|_| *restored) {
            restore_password(&self.machine, name.as_str(), &password).await?;
        }
        self.keep_password(name, None).map_err(|error| self.record_error(error))
    }

    /// The primary group of a new user; `None` when useradd(8) is to make one.
    async fn primary(&self, name: &Name, to: &Entry) -> Result<Option<String>, ApplyError> {
        let groups = self.database()?.groups;
        let Some(primary) = &to.primary else {
            return Ok(groups.contains_key(name.as_str()).then(|| name.to_string()));
        };
        let has_name = primary.name != primary.gid.to_string();
        if has_name && !groups.contains_key(&primary.name) {
            self.tool("groupadd").option("--gid", primary.gid.to_string()).run(&primary.name).await?;
        }
        Ok(Some(primary.name.clone()))
    }

    async fn modify(&self, name: &Name, to: &Entry) -> Result<(), ApplyError> {
        let database = self.database()?;
        let is = database.users.get(name.as_str()).ok_or_else(|| refused(name, "it vanished while it was changed"))?;
        let differs = |is: &str, to: &String| (is != to).then(|| to.clone());
        let tool = self
            .tool("usermod")
            .maybe("--uid", to.uid.filter(|uid| *uid != is.uid).map(|uid| uid.to_string()))
            .maybe("--shell", differs(&is.shell, &to.shell))
            .maybe("--home", differs(&is.home, &to.home))
            .maybe("--comment", differs(&is.comment, &to.comment));
        if tool.has_arguments() { Ok(tool.run(name.as_str()).await?) } else { Ok(()) }
    }

    async fn set_membership(&self, name: &Name, group: &str, to: Membership) -> Result<(), ApplyError> {
        let database = self.database()?;
        let is_in = database.groups_of(name.as_str()).contains(group);
        let mut joined = self.joined(name).map_err(|error| self.record_error(error))?;
        // Remembered before it is done: what is remembered and not so does no harm.
        if to == Membership::Joined && joined.insert(group.to_owned()) {
            self.remember_joined(name, &joined).map_err(|error| self.record_error(error))?;
        }
        match to {
            Membership::Outside if is_in => self.tool("gpasswd").option("--delete", name.as_str()).run(group).await?,
            Membership::Joined | Membership::Member if !is_in => {
                self.tool("gpasswd").option("--add", name.as_str()).run(group).await?;
            }
            _ => {}
        }
        if to != Membership::Joined && joined.remove(group) {
            self.remember_joined(name, &joined).map_err(|error| self.record_error(error))?;
        }
        Ok(())
    }

    async fn absent(&self, set: &Set) -> Result<(), ApplyError> {
        let Set { name, .. } = set;
        for place in [&set.sudo, &set.keys].into_iter().flatten() {
            self.write(place)?;
        }
        if self.database()?.users.contains_key(name.as_str()) {
            let password = database::password(&self.machine, name.as_str())
                .map_err(|(path, source)| ApplyError::File { path, source })?;
            // Without a line in shadow(5) there is none to lose: what comes back is locked.
            let password = password.unwrap_or_else(|| "*".to_owned());
            self.keep_password(name, Some(password)).map_err(|error| self.record_error(error))?;
            self.tool("userdel").run(name.as_str()).await?;
        }
        self.remember_joined(name, &Default::default()).map_err(|error| self.record_error(error))?;
        self.settle_group(name, set.group).await
    }

    /// userdel(8) may take the group of the same name with it, or not: that depends on login.defs(5).
    async fn settle_group(&self, name: &Name, gid: Option<u32>) -> Result<(), ApplyError> {
        let database = self.database()?;
        match (database.groups.get(name.as_str()), gid) {
            (None, Some(gid)) => Ok(self.tool("groupadd").option("--gid", gid.to_string()).run(name.as_str()).await?),
            (Some(is), None) if !database.is_used(is) => Ok(self.tool("groupdel").run(name.as_str()).await?),
            _ => Ok(()),
        }
    }
}
