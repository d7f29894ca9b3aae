//! "Did you mean": the known word that a wrong one most likely stands for.

/// The candidate that is nearest to `word`, when one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // 0.7 takes `instal` for `install` and `fil` for `file`, and not `dns` for `vpn`.
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_only_what_is_near() {
        let words = ["package", "file", "user", "service", "sysctl", "firewall", "vpn", "compose"];
        assert_eq!(nearest("fil", words), Some("file"));
        assert_eq!(nearest("pakage", words), Some("package"));
        assert_eq!(nearest("docker-compose", words), None);
        assert_eq!(nearest("dns", words), None);
    }
}
