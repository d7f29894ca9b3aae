//! A repository in the deb822 form of sources.list(5), its key inline.

use serde::{Deserialize, Serialize};

use super::RepositoryName;
use crate::policy::Invalid;

const HEADER: &str = "# Written by stead, which replaces it as a whole.\n";
const ARMOUR_BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const ARMOUR_END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// A repository that has been parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    pub name: RepositoryName,
    #[serde(default)]
    pub types: Vec<String>,
    pub uris: Vec<String>,
    pub suites: Vec<String>,
    #[serde(default)]
    pub components: Vec<String>,
    #[serde(default)]
    pub architectures: Vec<String>,
    /// ASCII-armoured.
    #[serde(default)]
    pub key: Option<String>,
}

impl Repository {
    /// Checks every field.
    ///
    /// # Errors
    /// When a field is not what sources.list(5) allows.
    pub fn parse(mut self) -> Result<Self, Invalid> {
        if self.types.is_empty() {
            self.types.push("deb".to_owned());
        }
        if let Some(other) = self.types.iter().find(|kind| *kind != "deb" && *kind != "deb-src") {
            return Err(Invalid::new("types", format!("{other:?} is neither `deb` nor `deb-src`")));
        }
        some("uris", &self.uris)?;
        some("suites", &self.suites)?;
        self.uris.iter().try_for_each(|uri| parse_uri(uri))?;
        words("suites", &self.suites)?;
        words("components", &self.components)?;
        words("architectures", &self.architectures)?;
        let flat = self.suites.iter().all(|suite| suite.ends_with('/'));
        if flat != self.components.is_empty() {
            let reason = "are needed, except when every suite is an exact path that ends in `/`";
            return Err(Invalid::new("components", reason));
        }
        self.key = self.key.as_deref().map(parse_key).transpose()?;
        Ok(self)
    }

    /// The content of its file.
    pub fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        let mut field = |name: &str, values: &[String]| {
            if !values.is_empty() {
                text.push_str(&format!("{name}: {}\n", values.join(" ")));
            }
        };
        field("Types", &self.types);
        field("URIs", &self.uris);
        field("Suites", &self.suites);
        field("Components", &self.components);
        field("Architectures", &self.architectures);
        if let Some(key) = &self.key {
            text.push_str("Signed-By:\n");
            // deb822(5): a line of a value begins with a space, and an empty one is a lone dot.
            let line = |line: &str| if line.is_empty() { " .\n".to_owned() } else { format!(" {line}\n") };
            text.extend(key.lines().map(line));
        }
        text
    }
}

fn some(argument: &'static str, values: &[String]) -> Result<(), Invalid> {
    if values.is_empty() { Err(Invalid::new(argument, "needs at least one")) } else { Ok(()) }
}

/// Words that stay one word of one line in the file.
fn words(argument: &'static str, values: &[String]) -> Result<(), Invalid> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | '+' | '~' | ':');
    match values.iter().find(|value| value.is_empty() || value.len() > 256 || !value.chars().all(part)) {
        Some(bad) => Err(Invalid::new(argument, format!("{bad:?} is not one plain word"))),
        None => Ok(()),
    }
}

fn parse_uri(uri: &str) -> Result<(), Invalid> {
    let invalid = |reason: &str| Err(Invalid::new("uris", format!("{uri:?} {reason}")));
    let Some((scheme, rest)) = uri.split_once(':') else { return invalid("has no scheme such as `https:`") };
    if !matches!(scheme, "https" | "http" | "file" | "mirror+https" | "mirror+http" | "mirror+file") {
        return invalid("has a scheme other than http, https, file and mirror+…");
    }
    if rest.is_empty() || uri.len() > 2048 || uri.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return invalid("is not one word");
    }
    if rest.contains('@') {
        return invalid("holds a name or password, which belong in a file under /etc/apt/auth.conf.d");
    }
    // What a grant's pattern is compared with must be what apt asks for.
    if rest.split('/').any(|segment| segment == "..") || rest.contains(['\\', '?', '#', '[', ']', '$']) {
        return invalid("has `..` or a character that apt reads as something else");
    }
    Ok(())
}

fn parse_key(key: &str) -> Result<String, Invalid> {
    let lines: Vec<_> = key.trim().lines().map(str::trim_end).collect();
    let armoured = lines.first() == Some(&ARMOUR_BEGIN) && lines.last() == Some(&ARMOUR_END);
    let blocks = lines.iter().filter(|line| line.starts_with("-----BEGIN")).count();
    let plain = |line: &&str| line.len() <= 128 && line.chars().all(|c| c.is_ascii() && !c.is_control());
    let public = lines.iter().filter(|line| **line == ARMOUR_BEGIN).count();
    if armoured && blocks == public && lines.iter().all(plain) && key.len() <= 256 * 1024 {
        return Ok(lines.join("\n"));
    }
    Err(Invalid::new("key", format!("is not an ASCII-armoured public key, from `{ARMOUR_BEGIN}` to `{ARMOUR_END}`")))
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::*;

    fn docker() -> Result<Repository> {
        Ok(Repository {
            name: "docker".parse()?,
            types: Vec::new(),
            uris: vec!["https://download.docker.com/linux/debian".to_owned()],
            suites: vec!["trixie".to_owned()],
            components: vec!["stable".to_owned()],
            architectures: vec!["amd64".to_owned()],
            key: Some(format!("\n{ARMOUR_BEGIN}\r\n\r\nmQIN\n=abcd\n{ARMOUR_END}\n")),
        })
    }

    #[test]
    fn has_the_form_of_deb822() -> Result<()> {
        assert_eq!(
            docker()?.parse()?.text(),
            "# Written by stead, which replaces it as a whole.\nTypes: deb\n\
             URIs: https://download.docker.com/linux/debian\nSuites: trixie\nComponents: stable\nArchitectures: amd64\n\
             Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQIN\n =abcd\n -----END PGP PUBLIC KEY BLOCK-----\n"
        );
        Ok(())
    }

    #[test]
    fn a_field_cannot_become_another_field() -> Result<()> {
        for uri in [
            "https://a/ https://b/",
            "https://a/\nTrusted: yes",
            "https://user:pass@host/",
            "https://good.example/../../evil",
            "copy:/etc/shadow",
            "plain",
        ] {
            assert!(Repository { uris: vec![uri.to_owned()], ..docker()? }.parse().is_err(), "{uri}");
        }
        assert!(Repository { suites: vec!["trixie\nTrusted: yes".to_owned()], ..docker()? }.parse().is_err());
        assert!(Repository { components: Vec::new(), ..docker()? }.parse().is_err());
        let private = docker()?.key.map(|key| key.replace("PUBLIC", "PRIVATE"));
        assert!(Repository { key: private, ..docker()? }.parse().is_err());
        Ok(())
    }
}
