//! The bindings in Go, in the shape of Go: a package `host/INTERFACE` for each interface, and errors as `error`.

use super::generate;
use crate::author::World;

/// The module of the SDK.
const MODULE: &str = "stead/guest";
/// What a call answers in the generator's code.
const RESULT: &str = ") witTypes.Result[";

/// The bindings of both worlds, as files of the SDK's module.
///
/// # Errors
/// When the contract cannot be expressed, which a test excludes.
pub(in crate::author) fn go() -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    for world in World::ALL {
        let package = format!("{MODULE}/{}", world.name());
        let options = wit_bindgen_go::Opts { pkg_name: Some(package), quiet: true, ..Default::default() };
        let files = generate(&mut *options.build(), world)?;
        // What the worlds share is the same in both.
        all.extend(files.into_iter().map(|(name, text)| (path(&name, world), source(&text, world))));
    }
    Ok(all)
}

/// Where a file of the generator lies in the SDK.
fn path(name: &str, world: World) -> String {
    match name.strip_prefix("imports/stead_host_") {
        Some(rest) => format!("host/{}", word(rest)),
        None => name.replace("exports/wit_exports/", &format!("internal/bindings/{}/", world.name())),
    }
}

/// `package` is a word of Go itself.
fn word(text: &str) -> String {
    match text.strip_prefix("package/") {
        Some(rest) => format!("packages/{rest}"),
        None => text.to_owned(),
    }
}

fn source(text: &str, world: World) -> String {
    let world = world.name();
    let text = text
        .replace("go.bytecodealliance.org/pkg/wit/", &format!("{MODULE}/internal/wit/"))
        .replace(&format!("{MODULE}/{world}/imports/stead_host_"), &format!("{MODULE}/host/"))
        .replace(&format!("{MODULE}/{world}/exports/export_stead_host_"), &format!("{MODULE}/internal/entry/"))
        .replace("package stead_host_package\n", "package packages\n")
        .replace("package wit_exports\n", &format!("package {world}\n"))
        .replace("export_stead_host_", "")
        .replace("stead_host_", "");
    let lines = text.lines().map(|line| checked(line).unwrap_or_else(|| line.to_owned()));
    lines.map(|line| line + "\n").collect()
}

/// A function that answers a result, behind one of its name that answers an `error`.
fn checked(line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix("func ")?.split_once('(')?;
    let (parameters, rest) = rest.split_once(RESULT)?;
    let (answer, _) = rest.strip_suffix(" {")?.rsplit_once(", ")?;
    let names: Vec<_> = parameters.split(", ").filter_map(|parameter| parameter.split(' ').next()).collect();
    let call = format!("witTypes.Check(checked{name}({}))", names.join(", "));
    let (answers, body) = match answer {
        "witTypes.Unit" => ("error".to_owned(), format!("\t_, err := {call}\n\treturn err")),
        value => (format!("({value}, error)"), format!("\treturn {call}")),
    };
    let raw = line.replacen(name, &format!("checked{name}"), 1);
    Some(format!("func {name}({parameters}) {answers} {{\n{body}\n}}\n\n{raw}"))
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn a_result_becomes_an_error() {
        let start = "func Start(machine string, command Command) witTypes.Result[uint32, Failure] {";
        let expected = "func Start(machine string, command Command) (uint32, error) {\n\
            \treturn witTypes.Check(checkedStart(machine, command))\n}\n\n\
            func checkedStart(machine string, command Command) witTypes.Result[uint32, Failure] {";
        assert_eq!(checked(start).as_deref(), Some(expected));
        let remove = checked("func Remove(name string) witTypes.Result[witTypes.Unit, types.Error] {");
        assert!(remove.is_some_and(|text| text.starts_with("func Remove(name string) error {\n\t_, err := ")));
        assert_eq!(checked("func Names() []string {"), None);
    }
}
