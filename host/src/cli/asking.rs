//! Asks one machine, or several at the same time, and shows what they tell meanwhile.

use futures::future::join_all;

use super::Context;
use super::progress::Progress;
use super::targets::Machine;
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::remote::operator;
use crate::session::{Envelope, Request};

/// What came of asking a machine.
pub(super) type Asked<T> = Result<T, Failure>;

/// Asks a machine and answers the event that is the answer; every other event is shown.
///
/// # Errors
/// When the machine could not be asked, or could not serve the request.
pub(super) async fn ask(machine: &Machine, request: Request, mut progress: Progress) -> Asked<Event> {
    ask_showing(machine, request, |event| progress.tell(event)).await
}

/// The same, with every event shown in a way of one's own.
///
/// # Errors
/// As [`ask`].
pub(super) async fn ask_showing(machine: &Machine, request: Request, mut show: impl FnMut(&Event)) -> Asked<Event> {
    let envelope = Envelope { operator: operator(), request };
    let mut answer = None;
    let told = |event: Event| {
        show(&event);
        let is_answer = matches!(
            event,
            Event::Plan { .. }
                | Event::Facts { .. }
                | Event::Report { .. }
                | Event::Status { .. }
                | Event::Look { .. }
                | Event::Runs { .. }
                | Event::Run { .. }
                | Event::Firewall { .. }
                | Event::Vpn { .. }
                | Event::NextKey { .. }
                | Event::Apps { .. }
                | Event::AllSaid
                | Event::Waste { .. }
                | Event::Cleaned { .. }
                | Event::Restarted { .. }
                | Event::BackedUp { .. }
                | Event::Snapshots { .. }
                | Event::Restorable { .. }
                | Event::Restored { .. }
                | Event::Failed { .. }
                | Event::Confirmed { .. }
        );
        if is_answer {
            answer = Some(event);
        }
    };
    machine.target.ask(envelope, told).await?;
    match answer {
        Some(Event::Failed { failure }) => Err(failure),
        Some(event) => Ok(event),
        None => Err(unexpected()),
    }
}

/// Asks all machines at the same time; the answers are in the order of the machines.
pub(super) async fn ask_all(context: &Context, requests: Vec<(Machine, Request)>) -> Vec<Asked<Event>> {
    let several = requests.len() > 1;
    let labels: Vec<_> = requests.iter().map(|(machine, _)| machine.label.clone()).collect();
    let widest = labels.iter().map(|label| label.chars().count()).max().unwrap_or_default();
    let one = async |machine: Machine, request: Request| {
        let label = several.then(|| format!("{:widest$}", machine.label));
        ask(&machine, request, Progress::new(context.terminal, label)).await
    };
    join_all(requests.into_iter().map(|(machine, request)| one(machine, request))).await
}

/// Shows every failure; the exit code is that of the first one, if any.
pub(super) fn first_failure<T>(context: &Context, machines: &[&Machine], results: &[Asked<T>]) -> Option<Exit> {
    let mut first = None;
    for (machine, result) in machines.iter().zip(results) {
        if let Err(failure) = result {
            let label = (machines.len() > 1).then_some(machine.label.as_str());
            context.terminal.failure(label, failure);
            first = first.or(Some(failure.exit));
        }
    }
    first
}

/// The machine answered something else than it was asked.
pub(super) fn unexpected() -> Failure {
    Failure::new(Blame::Stead, Exit::Internal, &"the answer is not one to this question")
        .help("use the same version of stead on both sides")
}
