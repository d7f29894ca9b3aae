//! A system container that was given keys as cloud-init gives them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stead_tests::container::{ADDRESS, Container};
use stead_vm::access::{Access, AccessError, Ended, Keys, Output, RunId};
use tempfile::TempDir;

pub(crate) const NO_LIMIT: u64 = u64::MAX;

pub(crate) struct Place {
    pub(crate) container: Container,
    pub(crate) access: Access,
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn start() -> Result<Self> {
        let container = Container::start("commands")?;
        let folder = tempfile::tempdir()?;
        let name = "stead-commands-1-1".parse()?;
        let keys = Keys::obtain(&folder.path().join("keys"), &name)?;
        container
            .inside(&format!(
                "mkdir -p -m 700 /root/.ssh; echo '{}' > /root/.ssh/authorized_keys; umask 077; \
                 rm -f /etc/ssh/ssh_host_*; echo '{}' > /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh",
                keys.client.as_str(),
                keys.host_private().trim_end(),
            ))?
            .ok()?;
        let access = Access::new(name, format!("{ADDRESS}:22").parse()?, &folder.path().join("keys"));
        let access = access.with_options([way_in(&container)]);
        Ok(Self { container, access, folder })
    }

    /// Follows a run from its first byte to its end.
    pub(crate) async fn whole(&self, run: &RunId) -> Result<(String, Ended)> {
        let mut collected = Collected::default();
        let ended = self.access.follow(run, 0, NO_LIMIT, &mut collected, still_there).await?;
        ensure!(ended.written == collected.bytes.len() as u64, "{ended:?}");
        Ok((String::from_utf8(collected.bytes)?, ended))
    }

    pub(crate) async fn nothing_is_said_to_another_host(&self) -> Result<()> {
        let (began, name) = (Instant::now(), "stead-commands-1-1".parse()?);
        let other = self.folder.path().join("other");
        Keys::obtain(&other, &name)?;
        let access =
            Access::new(name, format!("{ADDRESS}:22").parse()?, &other).with_options([way_in(&self.container)]);
        let waited = access.ready::<AccessError>(Duration::from_secs(60), async || Ok(())).await;
        assert!(matches!(waited, Err(AccessError::HostKey { .. })), "{waited:?}");
        ensure!(began.elapsed() < Duration::from_secs(20), "waiting does not make a wrong key right");
        Ok(())
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// What a follower has taken.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) bytes: Vec<u8>,
    /// It dies when it has this many.
    pub(crate) enough: Option<usize>,
}

impl Output for Collected {
    type Error = anyhow::Error;

    async fn take(&mut self, bytes: &[u8], _end: u64) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        ensure!(self.enough.is_none_or(|enough| self.bytes.len() < enough), "enough");
        Ok(())
    }
}

pub(crate) async fn still_there() -> Result<()> {
    Ok(())
}

fn way_in(container: &Container) -> String {
    format!("ProxyCommand=ip netns exec {} busybox nc %h %p", container.outside().name())
}
