//! The units of the package: those of the policy `serve`, with the places where a package has things.
//!
//! They are not enabled, and do nothing before there is a repo.

const SERVE: &str = include_str!("../../../../modules/serve/src/stead.service");
const FOLLOW: &str = include_str!("../../../../modules/serve/src/stead-follow.service");

const PROGRAM: &str = "/usr/bin/stead";
/// As in the policy `serve`.
const REPO: &str = "/srv/stead";
const STATE: &str = "/var/lib/stead";

pub(super) fn all() -> [(&'static str, String); 2] {
    [("stead.service", filled(SERVE)), ("stead-follow.service", filled(FOLLOW))]
}

fn filled(unit: &str) -> String {
    let unit = unit.replace("{program}", PROGRAM).replace("{repo}", REPO).replace("{state}", STATE);
    let manual = if unit.contains(" follow\n") { "stead-follow" } else { "stead-serve" };
    let more = format!("[Unit]\nDocumentation=man:{manual}(1)\nConditionPathExists={REPO}/stead.toml\n");
    unit.replacen("[Unit]\n", &more, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_be_filled_in() {
        for (name, unit) in all() {
            assert!(!unit.contains(['{', '}']), "{name}: {unit}");
            assert!(unit.contains("ExecStart=/usr/bin/stead --repo /srv/stead --state /var/lib/stead "), "{unit}");
            assert!(unit.contains("\nConditionPathExists=/srv/stead/stead.toml\n"), "{unit}");
        }
    }
}
