//! Who somebody is, as the provider says, and what `stead.toml` lets them do: nothing, unless a table means them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::SsoError;
use crate::job::api::caller::Caller;
use crate::repo::{Access, Sso};

/// The claims of somebody.
pub(super) type Claims = Map<String, Value>;

/// Somebody whom the provider knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::job::api) struct Person {
    issuer: String,
    /// What the provider calls them, for good and nobody else.
    pub(in crate::job::api) subject: String,
    pub(in crate::job::api) email: Option<String>,
    /// Whether the provider knows that the address is theirs.
    pub(in crate::job::api) is_verified: bool,
    pub(in crate::job::api) groups: BTreeSet<String>,
}

impl Person {
    /// Whom these claims mean.
    ///
    /// # Errors
    /// When they mean nobody.
    pub(super) fn of(table: &Sso, claims: &Claims) -> Result<Self, SsoError> {
        let text = |key: &str| claims.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let subject = text("sub").ok_or(SsoError::NotBelieved("it names nobody"))?;
        Ok(Self {
            issuer: table.issuer.as_str().to_owned(),
            subject: subject.to_owned(),
            email: text("email").map(str::to_owned),
            is_verified: claims.get("email_verified").is_some_and(is_true),
            groups: claims.get(&table.group_claim).map(groups).unwrap_or_default(),
        })
    }

    /// What they may do now; none: no table means them.
    pub(super) fn caller(&self, table: &Sso) -> Option<Caller> {
        // Another provider may give the same names to others.
        if self.issuer != table.issuer.as_str() {
            return None;
        }
        Caller::person(self.name(), self.access(table).cloned().collect())
    }

    /// Each table that means them.
    fn access<'a>(&'a self, table: &'a Sso) -> impl Iterator<Item = &'a Access> {
        let groups = self.groups.iter().filter_map(|group| table.groups.get(group));
        let email = self.verified().and_then(|email| table.emails.get(email));
        groups.chain(email).chain(table.subjects.get(&self.subject))
    }

    fn verified(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.is_verified)
    }

    /// What people know them by.
    fn name(&self) -> &str {
        self.verified().unwrap_or(&self.subject)
    }
}

/// Some providers say it as a text.
fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value == "true"
}

/// A list of names, or one name.
fn groups(claim: &Value) -> BTreeSet<String> {
    let names = match claim {
        Value::Array(names) => names.as_slice(),
        one => std::slice::from_ref(one),
    };
    names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Scope;
    use serde_json::json;

    const TABLE: &str = r#"
        issuer = "https://sso.example.org"
        client-id = "stead"
        secret = "sso-client"
        redirect = "https://jobs.example.org/sso/callback"
        [group.admins]
        scopes = ["cancel"]
        jobs = ["*"]
        [group.devs]
        scopes = ["read"]
        jobs = ["predict"]
        [email."anna@example.org"]
        scopes = ["hosts"]
        [subject."17"]
        scopes = ["machines"]
        jobs = ["*"]
    "#;

    fn scopes(claims: Value) -> anyhow::Result<Vec<&'static str>> {
        let table: Sso = toml::from_str(TABLE)?;
        let claims = claims.as_object().cloned().unwrap_or_default();
        let caller = Person::of(&table, &claims)?.caller(&table);
        let all = [Scope::Read, Scope::Cancel, Scope::Hosts, Scope::Machines, Scope::Submit];
        let has = |scope: &Scope| caller.as_ref().is_some_and(|caller| caller.has(*scope));
        Ok(all.into_iter().filter(has).map(Scope::word).collect())
    }

    #[test]
    fn a_person_may_do_what_the_tables_that_mean_them_say() -> anyhow::Result<()> {
        for (claims, expected) in [
            (json!({"sub": "17"}), vec!["machines"]),
            (json!({"sub": "1", "groups": ["devs", "admins", 7]}), vec!["read", "cancel"]),
            (json!({"sub": "1", "groups": "devs"}), vec!["read"]),
            (json!({"sub": "1", "email": "anna@example.org", "email_verified": true}), vec!["hosts"]),
            (json!({"sub": "1", "email": "anna@example.org", "email_verified": "true"}), vec!["hosts"]),
            (json!({"sub": "17", "groups": ["devs"]}), vec!["read", "machines"]),
        ] {
            assert_eq!(scopes(claims.clone())?, expected, "{claims}");
        }
        Ok(())
    }

    #[test]
    fn whoever_no_table_means_may_do_nothing() -> anyhow::Result<()> {
        for claims in [
            json!({"sub": "1"}),
            json!({"sub": "1", "email": "anna@example.org"}),
            json!({"sub": "1", "email": "anna@example.org", "email_verified": false}),
            json!({"sub": "1", "email": "anna@example.org", "email_verified": "yes"}),
            json!({"sub": "1", "email": "anna@example.org", "email_verified": 1}),
            json!({"sub": "1", "email": "Anna@example.org", "email_verified": true}),
            json!({"sub": "1", "email": ["anna@example.org"], "email_verified": true}),
            json!({"sub": "1", "groups": ["Admins", " admins", "devs,admins"]}),
            json!({"sub": "1", "groups": {"admins": true}}),
            json!({"sub": "1", "group": ["admins"], "roles": ["admins"]}),
            json!({"sub": "anna@example.org", "email_verified": true}),
        ] {
            assert!(scopes(claims.clone())?.is_empty(), "{claims}");
        }
        for claims in [json!({}), json!({"sub": ""}), json!({"sub": 17}), json!({"email": "anna@example.org"})] {
            assert!(scopes(claims.clone()).is_err(), "{claims}");
        }
        Ok(())
    }

    #[test]
    fn a_person_of_another_provider_is_another_person() -> anyhow::Result<()> {
        let table: Sso = toml::from_str(TABLE)?;
        let other: Sso = toml::from_str(&TABLE.replace("https://sso.", "https://other."))?;
        let person = Person::of(&table, &json!({"sub": "17"}).as_object().cloned().unwrap_or_default())?;
        assert!(person.caller(&table).is_some() && person.caller(&other).is_none());
        Ok(())
    }
}
