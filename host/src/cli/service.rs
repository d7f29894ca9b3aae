//! The service of jobs of a repo, with the secrets that its settings name.

use serde_json::{Map, Value};

use super::Context;
use super::queue::server_with;
use super::secrets::Revealed;
use crate::error::Failure;
use crate::job::{ProviderTables, Service};
use crate::repo::Repo;

/// The key of a table that stands for the value of a secret: `token = { secret = "NAME" }`.
const SECRET: &str = "secret";

/// Opens it with the queue and the providers of the repo.
pub(super) async fn open(context: &Context, repo: &Repo) -> Result<Service, Failure> {
    let mut revealed = Revealed::default();
    let server = server_with(repo, &mut revealed)?;
    let mut tables = ProviderTables::new();
    for (name, table) in repo.providers() {
        let mut value = |secret: &str| revealed.value(repo, secret).map(|value| value.reveal().clone());
        tables.insert(name.to_string(), with_secrets(table, &mut value)?);
    }
    Ok(Service::open(repo.clone(), &context.place.state, server, tables).await?)
}

fn with_secrets<E>(
    table: &Map<String, Value>,
    value: &mut impl FnMut(&str) -> Result<String, E>,
) -> Result<Map<String, Value>, E> {
    let one = |(key, inner): (&String, &Value)| {
        let inner = match inner {
            Value::Object(table) => match (table.len(), table.get(SECRET)) {
                (1, Some(Value::String(name))) => Value::String(value(name)?),
                _ => Value::Object(with_secrets(table, value)?),
            },
            other => other.clone(),
        };
        Ok((key.clone(), inner))
    };
    table.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revealed(text: &str) -> Result<String, String> {
        let table: Map<String, Value> = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut value = |name: &str| match name {
            "known" => Ok("hunter2".to_owned()),
            other => Err(format!("no secret {other}")),
        };
        Ok(Value::Object(with_secrets(&table, &mut value)?).to_string())
    }

    #[test]
    fn a_named_secret_takes_its_place_at_any_depth() {
        let text = "token = { secret = \"known\" }\nsize = 1\n[credentials]\nkey = { secret = \"known\" }\n";
        assert_eq!(revealed(text).as_deref(), Ok(r#"{"credentials":{"key":"hunter2"},"size":1,"token":"hunter2"}"#));
    }

    #[test]
    fn what_only_looks_like_one_stays() {
        let text = "a = { secret = \"known\", more = 1 }\nb = { secret = 1 }\nc = \"known\"";
        assert_eq!(revealed(text).as_deref(), Ok(r#"{"a":{"more":1,"secret":"known"},"b":{"secret":1},"c":"known"}"#));
        assert_eq!(revealed("token = { secret = \"other\" }"), Err("no secret other".to_owned()));
    }
}
