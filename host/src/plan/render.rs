//! The only place where a plan becomes text.

use std::fmt::Write;

use owo_colors::{OwoColorize, Style};
use similar::TextDiff;

use super::{Change, Detail, Plan, PlannedDeferral, PlannedStep, Undo};

/// Whether the text carries colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Always,
    Never,
}

impl Colour {
    /// The text in this style, or as it is.
    pub(crate) fn paint(self, text: &str, style: Style) -> String {
        match self {
            Self::Always => text.style(style).to_string(),
            Self::Never => text.to_owned(),
        }
    }
}

/// The plan as people read it.
pub fn render(plan: &Plan, colour: Colour) -> String {
    let mut text = steps(&plan.steps, &plan.deferred, colour);
    for resource in &plan.released {
        let _ = writeln!(text, "  {resource}: no longer declared; stays, because it was there before stead");
    }
    if !plan.is_empty() {
        for line in super::published::published(plan) {
            let _ = writeln!(text, "  published {}", self::line(&line));
        }
    }
    text.push_str(&summary(plan, colour));
    text
}

/// What each step changes, and what is planned later, in a line each: `+ file /etc/motd`.
pub fn headings(plan: &Plan) -> Vec<String> {
    let step = |planned: &PlannedStep| {
        format!("{} {} {}", planned.step.change.sign().0, planned.capability, planned.step.resource)
    };
    let later = |planned: &PlannedDeferral| format!("? {} {}", planned.capability, planned.deferred.resource);
    plan.steps.iter().map(step).chain(plan.deferred.iter().map(later)).collect()
}

/// Steps as people read them, without colour and summary: what a test compares.
#[cfg(test)]
pub fn render_steps(steps: &[PlannedStep], deferred: &[PlannedDeferral]) -> String {
    self::steps(steps, deferred, Colour::Never)
}

fn steps(steps: &[PlannedStep], deferred: &[PlannedDeferral], colour: Colour) -> String {
    let mut text = String::new();
    for planned in steps {
        step(&mut text, planned, colour);
    }
    for planned in deferred {
        let what = format!("{} {}", planned.capability, planned.deferred.resource);
        let _ = writeln!(text, "{} {what}: later, {}", colour.paint("?", Style::new().cyan()), planned.deferred.reason);
    }
    text
}

fn step(text: &mut String, planned: &PlannedStep, colour: Colour) {
    let (sign, style) = planned.step.change.sign();
    let title = format!("{} {}", planned.capability, planned.step.resource);
    let _ = writeln!(text, "{} {}", colour.paint(sign, style), colour.paint(&title, Style::new().bold()));
    for detail in &planned.step.detail {
        self::detail(text, detail, colour);
    }
    if let Undo::Impossible(reason) = &planned.step.undo {
        let line = format!("    cannot be undone: {reason}");
        let _ = writeln!(text, "{}", colour.paint(&line, Style::new().yellow()));
    }
}

impl Change {
    /// How it is marked.
    pub(crate) fn sign(self) -> (&'static str, Style) {
        match self {
            Self::Create => ("+", Style::new().green()),
            Self::Update => ("~", Style::new().yellow()),
            Self::Delete => ("-", Style::new().red()),
            Self::Trigger => ("↻", Style::new().blue()),
        }
    }
}

fn detail(text: &mut String, detail: &Detail, colour: Colour) {
    let (red, green) = (Style::new().red(), Style::new().green());
    let _ = match detail {
        Detail::Field { name, before: Some(before), after: Some(after) } => {
            writeln!(text, "    {name}: {} → {}", colour.paint(&line(before), red), colour.paint(&line(after), green))
        }
        Detail::Field { name, before: None, after: Some(after) } => {
            writeln!(text, "    {name}: {}", colour.paint(&line(after), green))
        }
        Detail::Field { name, before: Some(before), after: None } => {
            writeln!(text, "    {name}: {} → nothing", colour.paint(&line(before), red))
        }
        Detail::Field { before: None, after: None, .. } => Ok(()),
        Detail::Note(note) => writeln!(text, "    {}", line(note)),
        Detail::Text { before, after } => {
            unified(text, before, after, colour);
            Ok(())
        }
    };
}

fn unified(text: &mut String, before: &str, after: &str, colour: Colour) {
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        for shown in hunk.to_string().lines() {
            let style = match shown.chars().next() {
                Some('+') => Style::new().green(),
                Some('-') => Style::new().red(),
                _ => Style::new().dimmed(),
            };
            let _ = writeln!(text, "    {}", colour.paint(&line(shown), style));
        }
    }
}

/// One line that cannot move the cursor: what a policy wrote is shown with its control characters escaped.
fn line(text: &str) -> String {
    let escape = |c: char| match c {
        '\t' => "\t".to_owned(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

fn summary(plan: &Plan, colour: Colour) -> String {
    if plan.is_empty() {
        return "Nothing to do: the host is as declared.\n".to_owned();
    }
    let count = |change| plan.steps.iter().filter(|planned| planned.step.change == change).count();
    let counts = [
        (count(Change::Create), "to create"),
        (count(Change::Update), "to change"),
        (count(Change::Delete), "to remove"),
        (count(Change::Trigger), "to restart"),
        (plan.deferred.len(), "to be planned later"),
    ];
    let said: Vec<_> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let hash = colour.paint(plan.hash.short(), Style::new().bold());
    format!("\nPlan {hash}: {}.\n", said.join(", "))
}
