//! The machines of one process for others: by a Unix socket, a line of JSON each way. A call that its caller did not live to
//! see the answer of is made all the same, as at a real provider.

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use serde_json::{Value, json};
use stead_vm::machine::{Offer, State, Vm};
use stead_vm::name::VmName;
use stead_vm::provider::{Cause, Provider, ProviderError};
use stead_vm::request::Request;

use crate::provider::Containers;

/// Whoever has no machines of its own.
#[derive(Clone, Debug)]
pub(crate) struct Far(PathBuf);

const STATES: [(State, &str); 3] =
    [(State::Starting, "starting"), (State::Running, "running"), (State::Ended, "ended")];

/// Serves these machines until the process ends.
pub(crate) fn serve(containers: &Containers, socket: &Path) -> Result<()> {
    let listener = UnixListener::bind(socket)?;
    let containers = containers.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let containers = containers.clone();
            thread::spawn(move || answer(&client, &containers));
        }
    });
    Ok(())
}

fn answer(mut client: &UnixStream, containers: &Containers) -> Result<()> {
    let line = BufReader::new(client).lines().next().context("nothing was asked")??;
    let asked: Value = serde_json::from_str(&line)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let answer = runtime.block_on(async {
        Ok::<_, anyhow::Error>(match (asked.get("create"), asked.get("destroy")) {
            (Some(request), _) => written(&containers.create(&serde_json::from_value(request.clone())?).await?),
            (_, Some(name)) => json!(containers.destroy(&serde_json::from_value(name.clone())?).await?),
            _ => containers.list().await?.iter().map(written).collect(),
        })
    });
    let answer = answer.map_or_else(|error| json!({"error": format!("{error:#}")}), |answer| json!({"answer": answer}));
    Ok(writeln!(client, "{answer}")?)
}

fn written(vm: &Vm) -> Value {
    json!({
        "name": vm.name,
        "state": STATES.iter().find(|(state, _)| *state == vm.state).map(|(_, word)| word),
        "created": vm.created.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        "address": vm.address,
        "size": vm.size,
    })
}

fn read(value: &Value) -> Result<Vm> {
    let word = value["state"].as_str().unwrap_or_default();
    let state = STATES.iter().find(|(_, known)| *known == word).map(|(state, _)| *state);
    Ok(Vm {
        name: serde_json::from_value(value["name"].clone())?,
        state: state.context("no state")?,
        created: UNIX_EPOCH + Duration::from_secs(value["created"].as_u64().unwrap_or_default()),
        address: serde_json::from_value(value["address"].clone())?,
        size: value["size"].as_str().unwrap_or_default().to_owned(),
        region: None,
        price: None,
    })
}

impl Far {
    pub(crate) fn new(socket: &Path) -> Self {
        Self(socket.to_owned())
    }

    async fn ask(&self, asked: Value) -> Result<Value, ProviderError> {
        let socket = self.0.clone();
        let answer = tokio::task::spawn_blocking(move || exchange(&socket, &asked)).await;
        let failed = |words: String| ProviderError::new(Cause::TimedOut, words);
        answer.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(format!("{error:#}")))
    }
}

fn exchange(socket: &Path, asked: &Value) -> Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    writeln!(stream, "{asked}")?;
    stream.shutdown(Shutdown::Write)?;
    let line = BufReader::new(stream).lines().next().context("no answer")??;
    match serde_json::from_str::<Value>(&line)? {
        Value::Object(mut answer) if answer.contains_key("answer") => Ok(answer["answer"].take()),
        other => bail!("{other}"),
    }
}

#[async_trait]
impl Provider for Far {
    fn name(&self) -> &'static str {
        "containers"
    }

    async fn offers(&self) -> Result<Vec<Offer>, ProviderError> {
        Ok(Vec::new())
    }

    async fn create(&self, request: &Request) -> Result<Vm, ProviderError> {
        let made = self.ask(json!({"create": request})).await?;
        read(&made).map_err(|error| ProviderError::new(Cause::TimedOut, error.to_string()))
    }

    async fn list(&self) -> Result<Vec<Vm>, ProviderError> {
        let all = self.ask(json!({"list": true})).await?;
        let all: Result<Vec<_>> = all.as_array().into_iter().flatten().map(read).collect();
        all.map_err(|error| ProviderError::new(Cause::Unavailable, error.to_string()))
    }

    async fn destroy(&self, name: &VmName) -> Result<(), ProviderError> {
        self.ask(json!({"destroy": name})).await.map(drop)
    }

    async fn console(&self, _: &VmName) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }
}
