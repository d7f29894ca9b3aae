//! The contract, as it was when this binary was built.

use include_dir::{Dir, include_dir};
use wit_parser::{PackageId, Resolve, SourceMap};

static WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../wit");

/// The files of the contract: name and text.
pub(super) fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    WIT.files().filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
}

/// The contract, parsed.
///
/// # Errors
/// When it was wrong when this binary was built, which a test excludes.
pub(super) fn resolve() -> Result<(Resolve, PackageId), String> {
    let mut sources = SourceMap::default();
    for (name, text) in files() {
        sources.push(name.as_ref(), text);
    }
    let mut resolve = Resolve::default();
    let group = sources.parse().map_err(|(_, error)| error.to_string())?;
    let package = resolve.push_group(group).map_err(|error| error.to_string())?;
    Ok((resolve, package))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_embedded_contract_is_of_the_version_that_this_host_speaks() -> anyhow::Result<()> {
        let (resolve, package) = super::resolve().map_err(anyhow::Error::msg)?;
        let name = resolve.packages.get(package).map(|package| package.name.to_string());
        assert_eq!(name, Some(format!("stead:host@{}", crate::policy::CONTRACT)));
        Ok(())
    }
}
