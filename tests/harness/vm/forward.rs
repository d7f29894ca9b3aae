//! Ports of the build machine's loopback that lead into a guest.

use std::net::{TcpListener, UdpSocket};

use anyhow::{Context, Result};

use super::Vm;
use super::qmp::Qmp;

/// What a forwarded port carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Udp,
}

/// One port that is forwarded, for as long as the machine runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forward {
    pub(crate) protocol: Protocol,
    pub(crate) guest: u16,
    pub(crate) host: u16,
}

impl Vm {
    /// Forwards a port of 127.0.0.1, which it gives, to the guest's port `guest`. The same question gets the same port,
    /// after a reboot or a `load` too.
    ///
    /// # Errors
    /// When QEMU finds no free port.
    pub fn forward(&mut self, protocol: Protocol, guest: u16) -> Result<u16> {
        let known = self.forwards.iter().find(|forward| forward.protocol == protocol && forward.guest == guest);
        if let Some(forward) = known {
            return Ok(forward.host);
        }
        let forward = Forward::add(&mut self.qemu.qmp, protocol, guest)?;
        self.forwards.push(forward);
        Ok(forward.host)
    }
}

impl Forward {
    /// Another process can take a free port before QEMU does: a few tries.
    pub(crate) fn add(qmp: &mut Qmp, protocol: Protocol, guest: u16) -> Result<Self> {
        let mut tries = 0;
        loop {
            let forward = Self { protocol, guest, host: free_port(protocol)? };
            match forward.install(qmp) {
                Ok(()) => return Ok(forward),
                Err(error) if tries == 5 => return Err(error),
                Err(_) => tries += 1,
            }
        }
    }

    pub(crate) fn install(self, qmp: &mut Qmp) -> Result<()> {
        let Self { protocol, guest, host } = self;
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        qmp.monitor(&format!("hostfwd_add net0 {protocol}:127.0.0.1:{host}-:{guest}"))
    }
}

fn free_port(protocol: Protocol) -> Result<u16> {
    let address = match protocol {
        Protocol::Tcp => TcpListener::bind("127.0.0.1:0")?.local_addr(),
        Protocol::Udp => UdpSocket::bind("127.0.0.1:0")?.local_addr(),
    };
    Ok(address.context("asking for a free port")?.port())
}
