//! What to do about what Docker refused: its own words say what is wrong, seldom what helps.

/// By words of Docker and of registries.
const HINTS: &[(&[&str], &str)] = &[
    (
        &["no basic auth credentials", "unauthorized", "authentication required", "access to the resource is denied"],
        "give the registry's credentials as the secret variable DOCKER_AUTH_CONFIG, and look whether the name is right",
    ),
    (
        &["manifest unknown", "not found: manifest", "repository does not exist", "manifest for"],
        "look whether the name and the tag are right",
    ),
    (
        &["no space left on device"],
        "the disk is full: `docker system df` says what takes it, and `docker system prune` removes what nothing uses",
    ),
    (
        &["port is already allocated", "address already in use"],
        "something else has the port: `ss -lntup` and `docker ps` say what",
    ),
    (&["pool overlaps", "invalid pool request"], "choose a subnet that no other network has: `docker network ls`"),
    (
        &[
            "connection refused",
            "connection closed",
            "error trying to connect",
            "client error",
            "broken pipe",
            "incompletemessage",
            "unexpected eof",
        ],
        "Docker went away meanwhile: see `systemctl status docker`, and apply again when it runs",
    ),
    (&["connect: connection refused", "no such host", "i/o timeout"], "look whether the registry can be reached"),
];

/// What helps, as far as that is known.
pub(super) fn hint(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    // A registry that cannot be reached is told by the engine, which is there.
    let of_a_registry = said.contains("dial tcp") || said.contains("get \"http");
    let hints = HINTS.iter().filter(|(words, _)| !of_a_registry || !words.contains(&"error trying to connect"));
    hints.into_iter().find(|(words, _)| words.iter().any(|word| said.contains(word))).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_helps() {
        let registry = "Get \"http://localhost:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused";
        for (said, word) in [
            ("no basic auth credentials", "DOCKER_AUTH_CONFIG"),
            ("mkdir /var/lib/docker/x: no space left on device", "docker system df"),
            ("Bind for 0.0.0.0:80 failed: port is already allocated", "ss -lntup"),
            ("error trying to connect: Connection refused (os error 111)", "systemctl status docker"),
            (registry, "registry can be reached"),
        ] {
            assert!(hint(said).is_some_and(|hint| hint.contains(word)), "{said}: {:?}", hint(said));
        }
        assert_eq!(hint("something else"), None);
    }
}
