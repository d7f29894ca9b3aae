//! org.freedesktop.systemd1(5) over the system bus.

use std::time::Duration;

use futures::future::try_join_all;
use zbus::connection::Builder;
use zbus::{Connection, DynamicType, Error, Message, OwnedObjectPath, OwnedVariant};

use crate::capability::service::{Active, FoundUnit, UnitName};

const NAME: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// How long one call may take; a daemon-reload on a slow machine is the longest.
const CALL: Duration = Duration::from_secs(180);

/// A connection to the manager.
#[derive(Debug)]
pub(super) struct Manager {
    pub(super) connection: Connection,
}

impl Manager {
    /// Connects. A connection is made for each use: the manager drops its own when an upgrade executes it anew.
    ///
    /// The bus is used, and not the manager's private socket: there the manager signs its messages with a name that
    /// the specification does not allow for a sender, and zbus refuses them.
    pub(super) async fn connect() -> Result<Self, Error> {
        let connection = Builder::system().method_timeout(CALL).build().await?;
        Ok(Self { connection })
    }

    /// Calls a method of the manager.
    pub(super) async fn call<B>(&self, method: &str, body: &B) -> Result<Message, Error>
    where
        B: serde::Serialize + DynamicType,
    {
        self.connection.call_method(Some(NAME), PATH, Some(MANAGER), method, body).await
    }

    async fn property(&self, unit: &OwnedObjectPath, name: &str) -> Result<OwnedVariant, Error> {
        let body = (UNIT, name);
        let reply = self.connection.call_method(Some(NAME), unit, Some(PROPERTIES), "Get", &body).await?;
        reply.body().deserialize()
    }

    async fn text(&self, unit: &OwnedObjectPath, name: &str) -> Result<String, Error> {
        self.property(unit, name).await?.try_into()
    }

    /// What the manager knows of a unit, which it reads from disk when it has not yet.
    pub(super) async fn unit(&self, name: &UnitName) -> Result<FoundUnit, Error> {
        let unit: OwnedObjectPath = self.call("LoadUnit", &name.as_str()).await?.body().deserialize()?;
        let texts = ["Id", "LoadState", "ActiveState"].map(|property| self.text(&unit, property));
        let (texts, file_state, needs_reload) =
            futures::try_join!(try_join_all(texts), self.file_state(name), self.property(&unit, "NeedDaemonReload"))?;
        let [id, load, active] = texts.try_into().unwrap_or_default();
        Ok(FoundUnit {
            id: (load != "not-found").then_some(id),
            enabled: file_state == "enabled",
            file_state,
            active: Some(active_state(&active)),
            needs_reload: needs_reload.try_into()?,
        })
    }

    /// `UnitFileState`, read from disk; empty when there is no unit file.
    async fn file_state(&self, name: &UnitName) -> Result<String, Error> {
        match self.call("GetUnitFileState", &name.as_str()).await {
            Err(error) if is_missing(&error) => Ok(String::new()),
            other => other?.body().deserialize(),
        }
    }

    /// How a unit is, in the words of `systemctl status`: `failed (exit-code)`.
    pub(super) async fn status(&self, name: &UnitName) -> Result<String, Error> {
        let unit: OwnedObjectPath = self.call("LoadUnit", &name.as_str()).await?.body().deserialize()?;
        let (active, sub) = futures::try_join!(self.text(&unit, "ActiveState"), self.text(&unit, "SubState"))?;
        Ok(format!("{active} ({sub})"))
    }
}

fn active_state(state: &str) -> Active {
    match state {
        "active" | "reloading" | "refreshing" => Active::Running,
        "inactive" | "failed" => Active::Stopped,
        _ => Active::Between,
    }
}

/// Whether the error says that there is no such unit, or that it is not loaded.
pub(super) fn is_missing(error: &Error) -> bool {
    match error {
        Error::FDO(error) => matches!(**error, zbus::fdo::Error::FileNotFound(_)),
        Error::MethodError(name, ..) => name.as_str() == "org.freedesktop.systemd1.NoSuchUnit",
        _ => false,
    }
}
