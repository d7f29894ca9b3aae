//! Sets a group.

use crate::capability::ApplyError;
use crate::capability::user::{Group, Name, User};

impl User {
    /// The group is as it is to be. An existing one keeps its members.
    pub(in crate::capability::user) async fn set_group(
        &self,
        name: &Name,
        to: Option<&Group>,
    ) -> Result<(), ApplyError> {
        let database = self.database()?;
        let is = database.groups.get(name.as_str());
        let gid = |to: &Group| to.gid.map(|gid| gid.to_string());
        match (is, to) {
            (None, None) => Ok(()),
            (Some(_), None) => Ok(self.tool("groupdel").run(name.as_str()).await?),
            (Some(is), Some(to)) if to.gid.is_none_or(|gid| gid == is.gid) => Ok(()),
            (Some(_), Some(to)) => Ok(self.tool("groupmod").maybe("--gid", gid(to)).run(name.as_str()).await?),
            (None, Some(to)) => {
                self.tool("groupadd").maybe("--gid", gid(to)).run(name.as_str()).await?;
                let there = |member: &&String| database.users.contains_key(*member);
                let members: Vec<_> = to.members.iter().filter(there).cloned().collect();
                if members.is_empty() {
                    return Ok(());
                }
                Ok(self.tool("gpasswd").option("--members", members.join(",")).run(name.as_str()).await?)
            }
        }
    }
}
