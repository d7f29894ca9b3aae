//! WASI for guests that bring it along: a world without files, network, environment or time.
//!
//! Clocks stand still and randomness is the same on every run, so that a policy is a function of its facts and its
//! config. What is printed goes to the log.

use std::time::Duration;

use bytes::Bytes;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use super::guest::Guest;
use super::job::JobGuest;
use super::log::{Level, Log, Printed};

/// 2026-01-01 00:00:00 UTC. A real-looking time, because certificates and caches in guests dislike 1970.
const NOW: Duration = Duration::from_secs(1_767_225_600);
/// Since the guest was started. Not 0, which Go's runtime takes for a broken clock.
const UP: u64 = 1_000_000_000;
/// How much a guest may print at a time.
const PERMIT: usize = 64 * 1024;
/// How many random bytes a guest may ask for at a time.
const RANDOM: u64 = 64 * 1024;

/// What a guest sees of WASI.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    stdout: Printed,
    stderr: Printed,
}

impl Wasi {
    pub(super) fn new(log: &Log) -> Self {
        let stdout = Printed::new(log.clone(), Level::Info);
        let stderr = Printed::new(log.clone(), Level::Warn);
        let mut context = WasiCtx::builder();
        context
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .wall_clock(Frozen)
            .monotonic_clock(Frozen)
            .secure_random(Deterministic::new(seed(1)))
            .insecure_random(Deterministic::new(seed(2)))
            .insecure_random_seed(0x0073_7465_6164)
            .max_random_size(RANDOM)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        Self { context: context.build(), table: ResourceTable::new(), stdout, stderr }
    }

    /// Turns what was printed without an end of line into lines.
    pub(super) fn finish(&self) {
        self.stdout.finish();
        self.stderr.finish();
    }
}

pub(super) fn link<T: WasiView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        view(self.wasi())
    }
}

impl WasiView for JobGuest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        view(self.wasi())
    }
}

fn view(wasi: &mut Wasi) -> WasiCtxView<'_> {
    WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
}

/// Bytes that look random and are always the same: xorshift64 (Marsaglia, 2003).
fn seed(start: u64) -> Vec<u8> {
    let mut state = start.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..512).flat_map(step).collect()
}

struct Frozen;

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        NOW
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        UP
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only a later WASI, which is not linked, asks for this.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

impl OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Printed::write(self, &bytes).map_err(|spent| StreamError::Trap(spent.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}
