use anyhow::Result;
use clap::CommandFactory;

use super::*;

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_word_is_documented() {
    fn walk(command: &clap::Command) {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name} says nothing of itself");
        for argument in command.get_arguments() {
            let known = matches!(argument.get_id().as_str(), "help" | "version");
            assert!(known || argument.get_help().is_some(), "{name}: {} is not documented", argument.get_id());
        }
        command.get_subcommands().for_each(walk);
    }
    walk(&Cli::command());
}

#[test]
fn a_leading_number_is_no_target() {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(targets::number(&words("3 web1")), (Some(3), words("web1").as_slice()));
    assert_eq!(targets::number(&words("web1")), (None, words("web1").as_slice()));
    assert_eq!(targets::number(&[]), (None, [].as_slice()));
}

#[test]
fn a_saved_plan_has_an_ending() {
    assert!(saved::is_saved("web.stead") && !saved::is_saved("web"));
    assert!(Cli::try_parse_from(["stead", "plan", "--out", "web.json"]).is_err());
    assert!(Cli::try_parse_from(["stead", "apply", "--window", "0"]).is_err());
}

#[test]
fn what_the_guard_starts_is_understood() -> Result<()> {
    let cli = Cli::try_parse_from(["stead", "--state", "/var/lib/stead", "guard", "7"])?;
    assert!(matches!(cli.command, Command::Guard(_)));
    assert!(Cli::try_parse_from(["stead", "--state", "/var/lib/stead", "recover"]).is_ok());
    assert!(Cli::try_parse_from(["stead", "agent"]).is_ok());
    Ok(())
}
