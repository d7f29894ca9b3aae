//! What versions of the Compose plugin say in different ways, and mean the same by.
//!
//! A container of stead is to be the one that this machine's plugin would have made, so the engine says it as that does.

use crate::capability::compose::model::{Mount, MountKind, Volume};

/// A version of the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dialect(u32, u32, u32);

impl Dialect {
    /// Of a version such as `2.26.1`; what is no number counts as new.
    pub(super) fn of(version: &str) -> Self {
        let mut numbers = version.splitn(3, '.').map(|number| number.parse().unwrap_or(u32::MAX));
        let mut next = || numbers.next().unwrap_or(0);
        Self(next(), next(), next())
    }

    /// Whether a bind makes a missing folder when it does not say: the default is only printed by older ones.
    pub(super) fn makes_host_path(self, said: Option<bool>) -> bool {
        said.unwrap_or(self >= Self(5, 0, 0))
    }

    /// Whether a mount goes among the binds, in the short form.
    pub(super) fn is_bind(self, mount: &Mount, volume: Option<&Volume>) -> bool {
        let is_new = self >= Self(2, 35, 1);
        match mount.kind {
            MountKind::Bind => {
                let Some(bind) = &mount.bind else { return is_new };
                let is_plain = bind.propagation.is_none() && bind.recursive.is_none();
                self.makes_host_path(bind.create_host_path) && (is_plain || !is_new)
            }
            MountKind::Volume => {
                let of_a_path = |volume: &Volume| volume.driver_opts.get("o").is_some_and(|option| option == "bind");
                let options = mount.volume.as_ref();
                let is_plain = options
                    .is_none_or(|options| options.labels.is_empty() && options.subpath.is_none() && !options.nocopy);
                volume.is_some_and(|volume| if is_new { is_plain } else { of_a_path(volume) })
            }
            MountKind::Tmpfs | MountKind::Image | MountKind::Cluster => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_versions() {
        assert!(Dialect::of("2.26.1") < Dialect::of("2.35.1"));
        assert!(Dialect::of("2.40.3") < Dialect::of("5.0.0"));
        assert!(Dialect::of("dev") > Dialect::of("5.0.0"));
    }
}
