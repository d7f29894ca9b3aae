//! Machines that are system containers: a real systemd and a real sshd, there within seconds. They get their keys and their
//! lease from the user data, as cloud-init would give them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use serde_json::Value;
use stead_tests::container::{ADDRESS, Container};
use stead_vm::machine::{Offer, State, Vm};
use stead_vm::name::VmName;
use stead_vm::provider::{Cause, Provider, ProviderError};
use stead_vm::request::{Request, Size};

/// All that were made and not destroyed yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Containers(Arc<Mutex<Inner>>, Arc<Mutex<()>>);

#[derive(Debug, Default)]
struct Inner {
    machines: BTreeMap<VmName, Made>,
    made: usize,
}

#[derive(Debug)]
struct Made {
    /// None: it has ended.
    container: Option<Container>,
    vm: Vm,
}

impl Containers {
    /// How many were made so far.
    pub(crate) fn made(&self) -> usize {
        self.0.lock().expect("a lock").made
    }

    /// What a command prints in the only machine that there is.
    pub(crate) fn inside(&self, line: &str) -> Result<String> {
        let inner = self.0.lock().map_err(|_| anyhow!("a test panicked"))?;
        let made = inner.machines.values().next().context("there is no machine")?;
        made.container.as_ref().context("it has ended")?.inside(line)?.ok()
    }

    /// The only machine ends behind everybody's back.
    pub(crate) fn lose(&self) {
        for made in self.0.lock().expect("a lock").machines.values_mut() {
            made.vm.state = State::Ended;
            made.container = None;
        }
    }

    fn make(&self, request: &Request) -> Result<Vm> {
        // A call that was given up may still be at it.
        let _one = self.1.lock().map_err(|_| anyhow!("a test panicked"))?;
        if let Some(made) = self.0.lock().map_err(|_| anyhow!("a test panicked"))?.machines.get(&request.name) {
            return Ok(made.vm.clone());
        }
        let container = start(request.name.as_str().to_owned())?;
        give(&container, request.user_data.reveal())?;
        let vm = Vm {
            name: request.name.clone(),
            state: State::Running,
            created: SystemTime::now(),
            address: Some(forward(&container)?),
            size: match &request.size {
                Size::Type(name) => name.clone(),
                Size::Measured { .. } => "container".to_owned(),
            },
            region: None,
            price: None,
        };
        let mut inner = self.0.lock().map_err(|_| anyhow!("a test panicked"))?;
        inner.made += 1;
        inner.machines.insert(request.name.clone(), Made { container: Some(container), vm: vm.clone() });
        Ok(vm)
    }
}

/// A container ends with the thread that has started it, so that one stays.
fn start(name: String) -> Result<Container> {
    let (sender, started) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(Container::start(&name));
        loop {
            thread::park();
        }
    });
    started.recv()?
}

/// What cloud-init does at the first boot.
fn give(container: &Container, user_data: &str) -> Result<()> {
    let document: Value = serde_json::from_str(user_data.split_once('\n').context("no document")?.1)?;
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).context(pointer.to_owned());
    let line = format!(
        "mkdir -p -m 700 /root/.ssh; echo '{}' > /root/.ssh/authorized_keys; umask 077; rm -f /etc/ssh/ssh_host_*; \
         echo '{}' > /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh; {}",
        text("/ssh_authorized_keys/0")?,
        text("/ssh_keys/ed25519_private")?.trim_end(),
        text("/bootcmd/0/2")?,
    );
    container.inside(&line)?.ok().map(drop)
}

/// A port of loopback behind which its sshd is, as long as it lives.
fn forward(container: &Container) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let namespace = container.outside().name().to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let namespace = namespace.clone();
            thread::spawn(move || pass(&client, &namespace));
        }
    });
    Ok(address)
}

fn pass(client: &TcpStream, namespace: &str) -> Result<()> {
    let mut command = stead_tests::run::words(&format!("ip netns exec {namespace} busybox nc {ADDRESS} 22"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (stdin, stdout) = (child.stdin.take().context("no input")?, child.stdout.take().context("no output")?);
    thread::scope(|scope| {
        scope.spawn(|| pump(client, stdin));
        pump(stdout, client);
        let _ = client.shutdown(Shutdown::Both);
    });
    child.kill()?;
    child.wait().map(drop).map_err(Into::into)
}

/// Until either side has had enough. Not `io::copy`, which lets the kernel splice, and that waits for more.
fn pump(mut from: impl Read, mut to: impl Write) {
    let mut piece = vec![0; 32 << 10];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..read]).is_err() {
            return;
        }
    }
}

#[async_trait]
impl Provider for Containers {
    fn name(&self) -> &'static str {
        "containers"
    }

    async fn offers(&self) -> Result<Vec<Offer>, ProviderError> {
        Ok(Vec::new())
    }

    async fn create(&self, request: &Request) -> Result<Vm, ProviderError> {
        if request.size == Size::Type("full".to_owned()) {
            return Err(ProviderError::new(Cause::NoCapacity, "there is no room for full ones"));
        }
        let (all, request) = (self.clone(), request.clone());
        let made = tokio::task::spawn_blocking(move || all.make(&request)).await;
        let failed = |words: String| ProviderError::new(Cause::Unavailable, words);
        made.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(format!("{error:#}")))
    }

    async fn list(&self) -> Result<Vec<Vm>, ProviderError> {
        Ok(self.0.lock().expect("a lock").machines.values().map(|made| made.vm.clone()).collect())
    }

    async fn destroy(&self, name: &VmName) -> Result<(), ProviderError> {
        let gone = self.0.lock().expect("a lock").machines.remove(name);
        drop(tokio::task::spawn_blocking(move || drop(gone)).await);
        Ok(())
    }

    async fn console(&self, _: &VmName) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }
}
