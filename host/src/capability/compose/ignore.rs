//! `.dockerignore`: which files of a context the builder does not get. See the Dockerfile reference.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// The patterns in their order; the last that matches decides.
pub(super) struct Ignore(Vec<(bool, GlobMatcher)>);

impl Ignore {
    /// # Errors
    /// When a line is not a pattern.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pattern = |line: &str| {
            let (ignores, pattern) = match line.strip_prefix('!') {
                Some(pattern) => (false, pattern),
                None => (true, line),
            };
            let pattern = pattern.trim().trim_start_matches("./").trim_matches('/');
            let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
            Ok((ignores, glob.map_err(|error| error.to_string())?.compile_matcher()))
        };
        Ok(Self(lines.map(pattern).collect::<Result<_, String>>()?))
    }

    /// Whether a file is left out, by itself or with a folder that it is in.
    pub(super) fn matches(&self, path: &Path) -> bool {
        let said =
            |matcher: &GlobMatcher| path.ancestors().any(|part| !part.as_os_str().is_empty() && matcher.is_match(part));
        self.0.iter().rev().find(|(_, matcher)| said(matcher)).is_some_and(|(ignores, _)| *ignores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_decides() -> Result<(), String> {
        let ignore = Ignore::parse("# none\n*\n!src\n/src/*.log\n**/secret\n")?;
        let left_out = |path| ignore.matches(Path::new(path));
        assert!(left_out("readme") && left_out("src/a.log") && left_out("src/deep/secret") && left_out("secret/key"));
        assert!(!left_out("src/main.rs") && !left_out("src/deep/a.log"));
        Ok(())
    }
}
