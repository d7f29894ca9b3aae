//! Who comes in: administrators by key, and nobody by password.

use stead_guest::{Error, file, package, service, user};

use crate::config::{Admin, Config};

/// Read first, so that it wins: sshd takes the first value of a keyword.
const DROP_IN: &str = "/etc/ssh/sshd_config.d/10-stead.conf";

pub fn declare(config: &Config) -> Result<(), Error> {
    package::install("sudo", &package::Options::default())?;
    config.admins.iter().try_for_each(admin)?;
    let content = [file::Part::Text(sshd(config))];
    let validate = ["/usr/sbin/sshd".to_owned(), "-t".to_owned(), "-f".to_owned(), "{}".to_owned()];
    file::write(DROP_IN, &content, &file::Attributes::default(), &validate)?;
    let state = service::State {
        depends_on: vec![format!("file:{DROP_IN}")],
        on_change: service::OnChange::Reload,
        ..service::State::default()
    };
    service::unit("ssh.service", &state)?;
    Ok(())
}

fn admin(admin: &Admin) -> Result<(), Error> {
    let account = user::Account {
        name: admin.name.clone(),
        shell: Some("/bin/bash".to_owned()),
        authorized_keys: Some(admin.keys.clone()),
        sudo: Some(user::Sudo::AllNopasswd),
        ..user::Account::default()
    };
    user::present(&account)?;
    Ok(())
}

fn sshd(config: &Config) -> String {
    format!(
        "# Written by stead: keys only.\n\
         Port {}\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         PermitRootLogin prohibit-password\n\
         X11Forwarding no\n\
         MaxAuthTries 4\n\
         LoginGraceTime 30\n",
        config.ssh_port
    )
}
