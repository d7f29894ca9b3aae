//! The machines of jobs: whose each is, how old, and what it costs.

use jiff::Timestamp;
use maud::{Markup, html};

use super::super::body::Answer;
use super::super::call::Call;
use super::super::machines::{MachineView, seen};
use super::super::problem::Problem;
use super::frame::Frame;
use super::shown::{instant_since, state, table, word};
use crate::job::Amount;
use crate::policy::printable;

pub(super) async fn list(call: Call) -> Result<Answer, Problem> {
    let all = seen(&call).await?;
    let rows: Vec<_> = all.machines.iter().map(row).collect();
    let providers = all.seen.iter().map(|(provider, at)| {
        html! {
            th scope="row" { (printable(provider)) }
            td { (all.machines.iter().filter(|machine| machine.provider == *provider).count()) }
            td { (instant_since(at)) }
        }
    });
    let heads = ["Machine", "Job", "Provider", "State", "Size", "Region", "Age", "By the hour", "So far, at most"];
    let content = html! {
        (table("Machines of jobs", &heads, &rows, "No machine."))
        h2 { "Providers" }
        (table("When each was asked last", &["Provider", "Machines", "Asked"], &providers.collect::<Vec<_>>(), "None was asked yet."))
    };
    Ok(Frame::of(&call).page("Machines", content))
}

fn row(machine: &MachineView) -> Markup {
    let price = machine.price.as_ref();
    let amount = |micros| price.map(|price| Amount { micros, currency: price.currency.clone() }.to_string());
    let hourly = price.and_then(|price| amount(price.micros_per_hour));
    html! {
        th scope="row" { (printable(&machine.name)) }
        td { a href={ "/jobs/" (machine.job) } { (printable(&machine.job)) } ", run " (machine.run) }
        td { (printable(&machine.provider)) }
        td { (state(&word(&machine.state))) }
        td { (printable(&machine.size)) }
        td { (printable(machine.region.as_deref().unwrap_or("–"))) }
        td { (instant_since(&machine.created)) }
        td { @match &hourly { Some(hourly) => (hourly), None => "–" } }
        td { @match price.and_then(|price| amount(so_far(price.micros_per_hour, &machine.created))) {
            Some(amount) => (amount),
            None => "–",
        } }
    }
}

/// As if every hour that was begun were paid.
fn so_far(micros_per_hour: u64, created: &str) -> u64 {
    let Ok(created) = created.parse::<Timestamp>() else { return 0 };
    let seconds = Timestamp::now().duration_since(created).as_secs();
    micros_per_hour.saturating_mul(u64::try_from(seconds).unwrap_or_default().div_ceil(3600).max(1))
}

#[cfg(test)]
mod tests {
    use super::super::super::machines::{MachineState, PriceView};
    use super::*;

    #[test]
    fn what_a_provider_says_is_text_and_hours_that_were_begun_are_paid() {
        let created = Timestamp::now().as_second() - 3700;
        let created = Timestamp::from_second(created).map(|at| at.to_string()).unwrap_or_default();
        let price = PriceView { currency: "EUR".to_owned(), micros_per_hour: 7_600 };
        let machine = MachineView {
            name: "<b>m\u{1b}".to_owned(),
            provider: "hetzner".to_owned(),
            state: MachineState::Running,
            job: "7".to_owned(),
            run: 2,
            size: "cx22".to_owned(),
            region: None,
            created,
            price: Some(price),
        };
        let shown = row(&machine).into_string();
        for expected in ["&lt;b&gt;m\\u{1b}", "href=\"/jobs/7\"", "1 h ago", "0.0076 EUR", "0.0152 EUR"] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
        assert_eq!(so_far(5, "never"), 0);
    }
}
