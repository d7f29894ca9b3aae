//! Network namespaces joined by virtual cables, and what a client sees through them.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto, sockopt};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// How long a dropped connection attempt is waited for; the same kernel answers within microseconds.
const PATIENCE: Duration = Duration::from_millis(700);

/// A network namespace, with loopback up. It is gone when this is dropped.
pub(super) struct Lab {
    holder: Child,
}

impl Lab {
    pub(super) fn new() -> Result<Self> {
        let mut holder =
            Command::new("unshare").args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        holder.stdin.as_mut().context("no stdin")?.write_all(b"\n")?;
        holder.stdout.as_mut().context("no stdout")?.read_exact(&mut [0])?;
        let lab = Self { holder };
        lab.ip("link set lo up")?;
        Ok(lab)
    }

    /// Runs `inside` on a thread of its own in the namespace; programs that it starts are in there too.
    pub(super) fn run<T: Send>(&self, inside: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let namespace = std::fs::File::open(format!("/proc/{}/ns/net", self.holder.id()))?;
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
                inside()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// The same for asynchronous code: one thread, so that all of it stays in the namespace.
    pub(super) fn block_on<T: Send, F: Future<Output = Result<T>>>(
        &self,
        inside: impl FnOnce() -> F + Send,
    ) -> Result<T> {
        self.run(|| tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(inside()))
    }

    /// Runs a program in the namespace.
    pub(super) fn command(&self, line: &str) -> Result<String> {
        let output = Command::new("nsenter")
            .arg(format!("--net=/proc/{}/ns/net", self.holder.id()))
            .args(line.split(' '))
            .output()?;
        ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    pub(super) fn ip(&self, line: &str) -> Result<String> {
        self.command(&format!("ip {line}"))
    }

    /// Loads a ruleset.
    pub(super) fn nft(&self, text: &str) -> Result<()> {
        self.run(|| {
            let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn()?;
            nft.stdin.take().context("no stdin")?.write_all(text.as_bytes())?;
            ensure!(nft.wait()?.success(), "nft refuses {text}");
            Ok(())
        })
    }

    /// Joins two namespaces by a cable with an end in each.
    pub(super) fn join(&self, name: &str, other: &Self, other_name: &str) -> Result<()> {
        self.ip(&format!("link add {name} type veth peer name {other_name} netns {}", other.holder.id()))?;
        self.ip(&format!("link set {name} up"))?;
        other.ip(&format!("link set {other_name} up")).map(drop)
    }

    pub(super) fn address(&self, name: &str, address: &str) -> Result<()> {
        // No duplicate address detection: the address is there at once.
        let nodad = if address.contains(':') { " nodad" } else { "" };
        self.ip(&format!("address add {address} dev {name}{nodad}")).map(drop)
    }

    /// Sets a parameter of the namespace.
    pub(super) fn sysctl(&self, path: &str, value: &str) -> Result<()> {
        self.run(|| Ok(std::fs::write(format!("/proc/sys/net/{path}"), value)?))
    }

    /// Answers every connection to the port with one byte, as long as the program runs.
    pub(super) fn listen(&self, address: &str) -> Result<()> {
        let listener = self.run(|| Ok(TcpListener::bind(address)?))?;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || echo(stream));
            }
        });
        Ok(())
    }

    /// Whether a client in this namespace gets through.
    pub(super) fn reaches(&self, address: &str) -> Result<bool> {
        Ok(self.connect(address)?.is_some())
    }

    /// A connection, when a client in this namespace gets one.
    pub(super) fn connect(&self, address: &str) -> Result<Option<TcpStream>> {
        let address: SocketAddr = address.parse()?;
        self.run(|| match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                alive(&mut stream)?;
                Ok(Some(stream))
            }
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    /// Whether the other side answers a ping.
    pub(super) fn pings(&self, address: &str) -> Result<bool> {
        self.sysctl("ipv4/ping_group_range", "0 0")?;
        let address: IpAddr = address.parse()?;
        self.run(|| Ok(ping(address)?))
    }
}

/// One echo request by the kernel's ping socket, icmp(7), which fills in identifier and checksum.
fn ping(address: IpAddr) -> std::io::Result<bool> {
    let (family, protocol, request) = match address {
        IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP, 8),
        IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6, 128),
    };
    let socket = rustix::net::socket(family, SocketType::DGRAM, Some(protocol))?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
    let echo = [request, 0, 0, 0, 0, 0, 0, 1];
    rustix::net::sendto(&socket, &echo, SendFlags::empty(), &SocketAddr::new(address, 0))?;
    match rustix::net::recv(&socket, &mut [0_u8; 64], RecvFlags::empty()) {
        Ok(_) => Ok(true),
        Err(rustix::io::Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sees that a connection carries bytes both ways.
pub(super) fn alive(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(b"x")?;
    stream.read_exact(&mut [0]).context("the connection is dead")
}

fn echo(mut stream: TcpStream) {
    let mut byte = [0];
    while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
