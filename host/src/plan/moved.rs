//! Names the fact that moved between a plan and its apply.

use serde_json::Value;

use super::Observed;

/// The places at which two observations differ: `file./etc/motd.digest`, sorted, at most `MOST`.
pub fn moved(planned: &Observed, now: &Observed) -> Vec<String> {
    let mut places = Vec::new();
    let names: std::collections::BTreeSet<_> = planned.keys().chain(now.keys()).collect();
    for name in names {
        compare(name, planned.get(name).unwrap_or(&Value::Null), now.get(name).unwrap_or(&Value::Null), &mut places);
    }
    places.truncate(MOST);
    places
}

const MOST: usize = 20;

fn compare(place: &str, before: &Value, after: &Value, places: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let null = &Value::Null;
                compare(
                    &format!("{place}.{key}"),
                    before.get(key).unwrap_or(null),
                    after.get(key).unwrap_or(null),
                    places,
                );
            }
        }
        (before, after) if before != after => places.push(place.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_place() {
        let planned = Observed::from([("file".to_owned(), serde_json::json!({"/etc/motd": {"mode": 420}}))]);
        let now = Observed::from([("file".to_owned(), serde_json::json!({"/etc/motd": {"mode": 384}}))]);
        assert_eq!(moved(&planned, &now), ["file./etc/motd.mode"]);
        assert!(moved(&planned, &planned).is_empty());
    }
}
