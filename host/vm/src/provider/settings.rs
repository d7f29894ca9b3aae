//! The settings of a provider out of its table, and what is said when they are not such.

use serde::de::DeserializeOwned;

use super::{Cause, ProviderError};

/// Of the parser's words those that name keys are shown, and no others: they may hold a value, and that may be a token.
pub(super) fn read<T: DeserializeOwned>(name: &str, table: serde_json::Value) -> Result<T, ProviderError> {
    serde_json::from_value(table).map_err(|error| {
        let words = error.to_string();
        let names_a_key = ["unknown field ", "missing field "].iter().any(|beginning| words.starts_with(beginning));
        let why = if names_a_key { words } else { "a value is of another type than its key has".to_owned() };
        ProviderError::new(Cause::Invalid, format!("the settings of the provider {name}: {why}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{ec2, hetzner};
    use super::*;

    fn refused<T: DeserializeOwned>(table: Value) -> String {
        read::<T>("far", table).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn keys_are_named_and_values_are_not() {
        let said = refused::<hetzner::Settings>(json!({"tokn": "hunter2"}));
        assert!(said.contains("unknown field `tokn`, expected one of `token`") && !said.contains("hunter2"), "{said}");
        let said = refused::<ec2::Settings>(json!({"regions": ["here"]}));
        assert!(said.contains("missing field `credentials`"), "{said}");
        for token in [json!(["hunter2"]), json!({"hunter2": 1})] {
            let said = refused::<hetzner::Settings>(json!({"token": token}));
            assert!(said.contains("of another type") && !said.contains("hunter2"), "{said}");
        }
    }
}
