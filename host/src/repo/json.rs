//! The config of a policy: from TOML to JSON, and one table merged over another.

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Fault, Problem};

/// A TOML table as a JSON object. Dates and times become strings, as TOML writes them.
///
/// # Errors
/// When a number has no JSON form.
pub(super) fn object(table: &DeTable<'_>) -> Result<Map<String, Value>, Fault> {
    table.iter().map(|(key, value)| Ok((key.get_ref().clone().into_owned(), json(value)?))).collect()
}

fn json(value: &Spanned<DeValue<'_>>) -> Result<Value, Fault> {
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Datetime(when) => Value::String(when.to_string()),
        DeValue::Integer(_) | DeValue::Float(_) => Value::Number(number(value)?),
        DeValue::Array(values) => Value::Array(values.iter().map(json).collect::<Result<_, _>>()?),
        DeValue::Table(table) => Value::Object(object(table)?),
    })
}

fn number(value: &Spanned<DeValue<'_>>) -> Result<Number, Fault> {
    use serde::Deserialize;
    let read = toml::Value::deserialize(toml::de::ValueDeserializer::from(value.clone()))?;
    let number = match read {
        toml::Value::Integer(number) => Some(Number::from(number)),
        toml::Value::Float(number) => Number::from_f64(number),
        _ => None,
    };
    number.ok_or_else(|| Fault::new(value.span(), Problem::Value("JSON has no such number".to_owned())))
}

/// Puts `over` over `under`, table by table; anything but a table replaces what was there.
pub(super) fn merge(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}
