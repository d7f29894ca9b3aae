//! End to end on real servers, with their own systemd, apt, Docker and sshd: system containers, which are quick, and
//! virtual machines, which have kernels of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod backup;
mod bootstrap;
mod killed;
mod local;
mod lock_out;
mod older;
mod refused;
mod server;
mod several;
mod tunnel;

mod container {
    use anyhow::Result;
    use stead_tests::container::Container;

    use crate::{backup, bootstrap, lock_out};

    #[test]
    fn a_timer_makes_backups() -> Result<()> {
        backup::a_timer_makes_backups(Container::start("timed")?)
    }

    #[test]
    fn backups_lie_elsewhere() -> Result<()> {
        backup::backups_lie_elsewhere(Container::start("afar")?)
    }

    #[test]
    fn a_fresh_server_becomes_a_host() -> Result<()> {
        bootstrap::a_fresh_server_becomes_a_host(Container::start("fresh")?)
    }

    #[test]
    fn an_operator_gets_in_again() -> Result<()> {
        lock_out::an_operator_gets_in_again(Container::start("locked")?)
    }
}

mod vm {
    use anyhow::Result;
    use stead_tests::vm::Vm;

    use crate::{bootstrap, lock_out};

    #[test]
    fn a_fresh_server_becomes_a_host() -> Result<()> {
        bootstrap::a_fresh_server_becomes_a_host(Vm::start("fresh")?)
    }

    #[test]
    fn an_operator_gets_in_again() -> Result<()> {
        lock_out::an_operator_gets_in_again(Vm::start("locked")?)
    }
}
