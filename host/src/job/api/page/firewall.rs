//! The firewall of a host: the rules of its last revision, and who gets to what listens.

use maud::{Markup, html};

use super::super::body::Answer;
use super::super::call::Call;
use super::super::problem::Problem;
use super::component;
use super::frame::Frame;
use super::host::one;
use super::shown::{since, state, table};
use crate::capability::firewall::{Door, Row, Section};
use crate::look::Rules;
use crate::policy::{printable, printable_lines};

pub(super) async fn show(call: Call) -> Result<Answer, Problem> {
    let seen = one(&call).await?;
    let unseen = || Problem::not_found("nothing has been seen of this host yet");
    let watched = seen.watched.map_err(Problem::unavailable)?;
    let look = watched.look.ok_or_else(unseen)?;
    let content = html! {
        p {
            a href={ "/hosts/" (component(&seen.name)) } { (printable(&seen.name)) }
            ", seen " (since(watched.at)) ". The rules are those of the last revision, in the order in which they are tried; whether the \
            kernel's differ is said by the drift."
        }
        @match &look.firewall {
            Err(why) => p .bad { (printable_lines(why)) },
            Ok(rules) => (all(rules)),
        }
    };
    Ok(Frame::of(&call).page(&format!("Firewall of {}", seen.name), content))
}

fn all(rules: &Rules) -> Markup {
    html! {
        @if rules.sections.is_empty() {
            p { "No policy says anything of the firewall: everything is let through." }
        }
        @for section in &rules.sections { (chain(section)) }
        h2 { "Who gets in" }
        (table("Ports and who gets to them", &["Port", "Program", "Who gets in"],
            &rules.doors.iter().map(door).collect::<Vec<_>>(), "Nothing listens."))
    }
}

fn chain(section: &Section) -> Markup {
    let row = |row: &Row| {
        html! {
            td { (printable(&row.from)) }
            td { (printable(&row.by)) }
            td { (printable(&row.to)) }
            td { (state(&row.verdict)) }
            td { (printable(&row.policy)) }
        }
    };
    let rows: Vec<_> = section.rows.iter().map(row).collect();
    let name = section.chain.to_string();
    html! {
        h2 { "Chain " (name) }
        p { (printable(&section.default)) }
        (table(&format!("Rules of {name}"), &["From", "By", "To", "Verdict", "Policy"], &rows, "No rule."))
    }
}

fn door(door: &Door) -> Markup {
    let who = if door.who.is_empty() { "nobody".to_owned() } else { door.who.join("; ") };
    html! {
        th scope="row" { (printable(&door.port)) }
        td { (printable(door.program.as_deref().unwrap_or("nobody listens"))) }
        td { (printable(&who)) }
    }
}
