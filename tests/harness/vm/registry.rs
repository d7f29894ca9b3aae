//! What stands in for a registry of images, where none is in reach.

use anyhow::Result;

use super::Vm;
use crate::docker::busybox_tar;

const TAR: &str = "/srv/stand-in.tar";

impl Vm {
    /// From its first start, Docker has an image `name` that holds a static busybox and runs `command`. It is imported
    /// before the service counts as started, as if it had been pulled.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub fn provide_image(&self, name: &str, command: &str) -> Result<()> {
        self.copy_to(&busybox_tar()?, TAR)?;
        let drop_in = format!(
            "[Service]\nExecStartPost=/bin/sh -c 'docker image inspect {name} >/dev/null 2>&1 || \
             docker import --change \"CMD {command}\" {TAR} {name}'\n"
        );
        let folder = "/etc/systemd/system/docker.service.d";
        let file = name.replace(['/', ':'], "-");
        let write = format!("mkdir -p {folder} && cat > {folder}/{file}.conf && systemctl daemon-reload");
        self.ssh_with_input(&write, drop_in.as_bytes())?.ok().map(drop)
    }
}
