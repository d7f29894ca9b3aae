use anyhow::{Context, Result, bail};

use super::*;
use crate::apply::{ApplyFailed, Cause, Undone};
use crate::capability::{ApplyError, Denied};
use crate::grant::Ungranted;
use crate::journal::JournalError;
use crate::repo::Repo;
use crate::session::SessionError;

fn shown(failure: &Failure) -> Result<String> {
    let mut text = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    miette::GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).render_report(&mut text, failure)?;
    Ok(text.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}

fn undone(cause: Cause, undone: Undone) -> Failure {
    failure(&SessionError::Apply(Box::new(ApplyFailed { run: 7, cause, undone: Ok(undone) })))
}

#[test]
fn points_into_the_file() -> Result<()> {
    let text = "[policy.web]\nsource = \"policies/web\"\n[policy.web.grant.sysctl]\nkey = [\"net.*\"]\n";
    let Err(error) = Repo::parse("/repo".as_ref(), text.to_owned()) else { bail!("`key` is unknown") };
    insta::assert_snapshot!(shown(&Failure::from(error))?, @r#"
    operator, exit code 65

      × stead.toml: there is no key `key` here
       ╭─[stead.toml:4:1]
     3 │ [policy.web.grant.sysctl]
     4 │ key = ["net.*"]
       · ─┬─
       ·  ╰── here
       ╰────
      help: did you mean `keys`?
    "#);
    Ok(())
}

#[test]
fn a_denial_says_what_would_allow_it() -> Result<()> {
    let denied = Denied {
        capability: "sysctl",
        asked: "set vm.swappiness".to_owned(),
        key: "keys",
        value: "[\"vm.*\"]".to_owned(),
    };
    let failure = failure(&SessionError::Ungranted(Ungranted::Denied { policy: "base".to_owned(), denied }));
    insta::assert_snapshot!(shown(&failure)?, @r#"
    operator, exit code 66

      × policy base: sysctl: set vm.swappiness is not granted
      help: to allow it, add to stead.toml:
            [policy.base.grant.sysctl]
            keys = ["vm.*"]
    "#);
    Ok(())
}

#[test]
fn the_exit_code_tells_what_came_of_it() {
    let step = || Cause::Step {
        capability: "file".to_owned(),
        resource: "/etc/motd".to_owned(),
        source: ApplyError::File { path: "/etc/motd".to_owned(), source: std::io::ErrorKind::StorageFull.into() },
    };
    let clean = || Undone { steps: 3, ..Undone::default() };
    let rest = Undone { failed: vec!["file /etc/motd".to_owned()], ..clean() };
    let stays = Undone { left: vec!["package nginx: its scripts ran".to_owned()], ..clean() };
    assert_eq!(undone(step(), clean()).exit, Exit::Undone);
    let unhealthy = || Cause::Step {
        capability: "compose".to_owned(),
        resource: "blog".to_owned(),
        source: ApplyError::Unhealthy { resource: "compose blog, service web".to_owned(), reason: "ended".to_owned() },
    };
    assert_eq!(undone(unhealthy(), clean()).exit, Exit::Unhealthy);
    assert_eq!(undone(unhealthy(), rest.clone()).exit, Exit::Broken, "what is left is more than why");
    assert_eq!(undone(step(), rest).exit, Exit::Broken);
    assert_eq!(undone(step(), stays).exit, Exit::Broken);
    assert_eq!(undone(Cause::NotConfirmed(60), clean()).exit, Exit::NotConfirmed);
    assert_eq!(undone(Cause::NotConverged(Vec::new()), clean()).exit, Exit::NotAsDeclared);
    let unrecorded = ApplyFailed { run: 7, cause: step(), undone: Err(JournalError::Newer { found: 9, known: 1 }) };
    assert_eq!(failure(&SessionError::Apply(Box::new(unrecorded))).exit, Exit::Broken);
}

#[test]
fn says_what_is_left_and_what_to_do() -> Result<()> {
    let cause = Cause::NotConverged(vec!["sysctl:vm.swappiness".to_owned()]);
    let left = Undone { steps: 2, left: vec!["package nginx: its scripts ran".to_owned()], ..Undone::default() };
    insta::assert_snapshot!(shown(&undone(cause, left))?, @r#"
    host, exit code 73

      × everything was done, and yet these are not as declared: sysctl:vm.swappiness
      │ stays, because it cannot be undone: package nginx: its scripts ran
      help: `stead log 7` says how far it came; what stays is yours to keep or to mend
    "#);
    let nothing =
        undone(Cause::Waiting(vec!["compose hello: Docker is not installed yet".to_owned()]), Undone::default());
    insta::assert_snapshot!(shown(&nothing)?, @r#"
    policy, exit code 72

      × still waiting: compose hello: Docker is not installed yet
      help: nothing was changed
            nothing in the policy brings about what is waited for: declare it, for instance the package
    "#);
    Ok(())
}

#[test]
fn crosses_to_the_operator_as_it_is() -> Result<()> {
    let error = Repo::parse("/repo".as_ref(), "[host]\n".to_owned()).err().context("an empty table")?;
    let failure = Failure::from(error);
    assert_eq!(serde_json::from_str::<Failure>(&serde_json::to_string(&failure)?)?, failure);
    Ok(())
}
