//! Listens, and keeps every client within limits: how many there are, how long each may take to say what it wants, and how
//! long it may leave what it was sent untouched.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::{Admitted, Api};
use crate::repo::Listen;

/// As many as a service of systemd may have files open by default, and half of them left for the rest.
const CONNECTIONS: usize = 512;
/// How long a client may take for the head of a request, the pause before it included.
const HEAD: Duration = Duration::from_secs(15);
/// How long a client may take nothing of what it is sent.
const UNTAKEN: Duration = Duration::from_secs(30);
const HEADERS: usize = 64;
const BUFFER: usize = 64 << 10;
/// How long answers that have begun may go on when the service ends.
const GRACE: Duration = Duration::from_secs(5);
/// What is waited when there are no more files to be opened.
const FULL: Duration = Duration::from_millis(100);

/// A place that was taken, and where nobody answers yet.
#[derive(Debug)]
pub struct Bound {
    listener: Listener,
    at: Listen,
}

#[derive(Debug)]
enum Listener {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener, PathBuf),
}

impl Bound {
    /// Takes the place. A socket that a service has left behind is replaced.
    ///
    /// # Errors
    /// When it is taken, or not of this machine.
    pub fn new(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => {
                let listener = std::net::TcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                let at = Listen::Tcp(listener.local_addr()?);
                Ok(Self { listener: Listener::Tcp(listener), at })
            }
            Listen::Unix(path) => {
                let listener = bind(path)?;
                listener.set_nonblocking(true)?;
                Ok(Self { listener: Listener::Unix(listener, path.clone()), at: listen.clone() })
            }
        }
    }

    /// Where it is: of port 0, the one that was given.
    pub fn at(&self) -> &Listen {
        &self.at
    }
}

/// For its owner and group alone, which is how a proxy is let in.
fn bind(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::net::{UnixListener, UnixStream};
    let is_left_behind = std::fs::symlink_metadata(path).is_ok_and(|facts| facts.file_type().is_socket())
        && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if is_left_behind {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// An API at work.
#[derive(Debug)]
pub struct Serving {
    api: Arc<Api>,
    thread: JoinHandle<()>,
}

impl Api {
    /// Answers from now on, in a thread of its own: a policy that computes does not hold up clients, nor they it.
    ///
    /// # Errors
    /// When there can be no such thread.
    pub fn serve(self, bound: Bound) -> io::Result<Serving> {
        let api = Arc::new(self);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answering = api.clone();
        let work = move || {
            // What has been accepted before is answered, and then it is over.
            drop(runtime.block_on(answering.listen(bound)));
            runtime.shutdown_timeout(Duration::from_secs(1));
        };
        let thread = std::thread::Builder::new().name("api".to_owned()).spawn(work)?;
        Ok(Serving { api, thread })
    }

    async fn listen(self: Arc<Self>, bound: Bound) -> io::Result<()> {
        match bound.listener {
            Listener::Tcp(listener) => {
                let listener = TcpListener::from_std(listener)?;
                self.accept(async || Ok(listener.accept().await?.0)).await;
            }
            Listener::Unix(listener, path) => {
                let listener = UnixListener::from_std(listener)?;
                self.accept(async || Ok(listener.accept().await?.0)).await;
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    async fn accept<S>(self: Arc<Self>, mut next: impl AsyncFnMut() -> io::Result<S>)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (room, mut stopping) = (Arc::new(Semaphore::new(CONNECTIONS)), self.stopping.subscribe());
        let mut connections = JoinSet::new();
        loop {
            let accepted = async {
                // Whoever comes while there is no room waits in the kernel's queue.
                let permit = room.clone().acquire_owned().await.map_err(io::Error::other)?;
                io::Result::Ok((permit, next().await?))
            };
            tokio::select! {
                _ = stopping.wait_for(|is_over| *is_over) => break,
                Some(_) = connections.join_next() => {}
                accepted = accepted => match accepted {
                    Ok((permit, io)) => drop(connections.spawn(connection(self.clone(), io, permit))),
                    Err(_) => sleep(FULL).await,
                },
            }
        }
        let all = async { while connections.join_next().await.is_some() {} };
        // Those that are left are cut off.
        let _ = timeout(GRACE, all).await;
    }
}

/// Answers what comes over one connection.
async fn connection<S>(api: Arc<Api>, io: S, _room: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stopping: watch::Receiver<bool> = api.stopping.subscribe();
    let mut io = TimeoutStream::new(io);
    io.set_write_timeout(Some(UNTAKEN));
    let answering = service_fn(|request| {
        let api = api.clone();
        async move { io::Result::Ok(api.answer(request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(HEADERS).max_buf_size(BUFFER);
    let connection = http.serve_connection(TokioIo::new(Box::pin(io)), answering);
    let mut connection = std::pin::pin!(connection);
    // A client that breaks off is no affair of anybody else.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|is_over| *is_over) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

impl Serving {
    /// Lets these in from now on, and nobody else; what was let in before goes on.
    pub fn admit(&self, admitted: Admitted) {
        self.api.admit(admitted);
    }

    /// Takes no more requests, and begins to end.
    pub fn stop(&self) {
        self.api.stopping.send_replace(true);
    }

    /// Waits until all is answered, for a few seconds at most.
    pub fn join(self) {
        self.stop();
        // It has nothing to say; a panic of it has been shown.
        let _ = self.thread.join();
    }
}
