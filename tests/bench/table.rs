//! The form in which figures are published: a table in Markdown.

use std::fmt;
use std::time::Duration;

use crate::sample::Sample;

/// Figures of one kind; the first row is what the others are compared with, by their medians.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    rows: Vec<(String, Sample)>,
    /// What the median of the first row should stay under.
    goal: Option<Duration>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new(), goal: None }
    }

    pub(crate) fn goal(mut self, goal: Duration) -> Self {
        self.goal = Some(goal);
        self
    }

    pub(crate) fn row(mut self, name: impl Into<String>, sample: Sample) -> Self {
        self.rows.push((name.into(), sample));
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n\n| what | runs | min | median | p95 | ratio |\n|---|--:|--:|--:|--:|--:|", self.title)?;
        let Some((_, first)) = self.rows.first() else { return Ok(()) };
        for (name, sample) in &self.rows {
            let [min, median, p95] = [0.0, 0.5, 0.95].map(|share| shown(sample.quantile(share)));
            let ratio = sample.median().as_secs_f64() / first.median().as_secs_f64();
            writeln!(f, "| {name} | {} | {min} | {median} | {p95} | {} |", sample.runs(), digits(ratio))?;
        }
        if let Some(goal) = self.goal {
            let word = if first.median() < goal { "met" } else { "NOT met" };
            writeln!(f, "\nGoal: under {}, {word}.", shown(goal))?;
        }
        Ok(())
    }
}

fn shown(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{} s", digits(seconds)),
        seconds => format!("{} ms", digits(seconds * 1000.0)),
    }
}

/// Three digits, as far as they stand behind the point.
fn digits(number: f64) -> String {
    match number {
        number if number >= 100.0 => format!("{number:.0}"),
        number if number >= 10.0 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}
