//! The operator's settings for this policy: `[policy.NAME.config]` of `stead.toml`.

use serde::de::DeserializeOwned;

use crate::Error;
use crate::bindings::stead::host::config;

/// The settings as they are: a JSON object.
pub fn text() -> String {
    config::get()
}

/// The settings as a type. With `#[serde(deny_unknown_fields)]` on it, a typo of the operator is an error here.
///
/// # Errors
/// When they do not fit, with the path of the value that does not.
pub fn parse<T: DeserializeOwned>() -> Result<T, Error> {
    read(&config::get())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = match error.path().to_string() {
            path if path == "." => "config".to_owned(),
            path => format!("config.{path}"),
        };
        Error::new(format!("{path}: {}", words(error.inner())))
    })
}

/// The words of a JSON error without its position: the operator wrote TOML, so a column of JSON tells nothing.
fn words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.split(" at line ").next().unwrap_or(&words).to_owned()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        #[serde(default)]
        users: Vec<User>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct User {
        #[allow(dead_code, reason = "only its type matters here")]
        name: String,
    }

    #[test]
    fn an_error_names_the_value_that_does_not_fit() {
        let error = |text: &str| read::<Config>(text).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error(r#"{"users": [{"name": 7}]}"#), "config.users[0].name: invalid type: integer `7`, expected a string");
        assert_eq!(error(r#"{"user": []}"#), "config.user: unknown field `user`, expected `users`");
        assert!(read::<Config>("{}").is_ok_and(|config| config.users.is_empty()));
    }
}
