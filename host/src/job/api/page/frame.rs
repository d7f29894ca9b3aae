//! What is around every page: the head, the way to the other pages, who has logged in.

use std::sync::Arc;

use hyper::StatusCode;
use maud::{DOCTYPE, Markup, html};

use super::super::body::{Answer, text};
use super::super::call::Call;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::assets::{ICON, SCRIPT, STYLE};
use crate::policy::printable;
use crate::repo::Scope;

/// The first pages, each with what is needed for it.
pub(super) const TABS: [(&str, &str, Scope); 3] =
    [("/hosts", "Hosts", Scope::Hosts), ("/jobs", "Jobs", Scope::Read), ("/machines", "Machines", Scope::Machines)];

/// What the pages of one request have around them.
#[derive(Debug)]
pub(super) struct Frame {
    /// Whoever has logged in, with the proof for forms.
    who: Option<(Arc<Caller>, String)>,
    path: String,
}

impl Frame {
    pub(super) fn of(call: &Call) -> Self {
        let who = call.caller.clone().zip(call.session.as_ref().map(|session| session.proof.clone()));
        Self { who, path: call.head.uri.path().to_owned() }
    }

    /// What is around a page for whoever has not logged in.
    pub(super) fn nobodys(call: &Call) -> Self {
        Self { who: None, path: call.head.uri.path().to_owned() }
    }

    /// A page, under its heading.
    pub(super) fn page(&self, title: &str, content: Markup) -> Answer {
        self.answer(StatusCode::OK, title, content)
    }

    /// The page that says what is wrong.
    pub(super) fn problem(&self, problem: &Problem) -> Answer {
        let (title, detail) = problem.words();
        let content = html! {
            p { (printable(detail)) }
            p { a href="/" { "To the first page" } }
        };
        self.answer(problem.status(), title, content)
    }

    pub(super) fn answer(&self, status: StatusCode, title: &str, content: Markup) -> Answer {
        let title = printable(title);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (title) " · stead" }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    link rel="icon" href=(ICON.address()) type="image/svg+xml";
                    link rel="stylesheet" href=(STYLE.address());
                    script src=(SCRIPT.address()) defer {}
                }
                body {
                    a .skip href="#main" { "To the content" }
                    header { (self.ways()) }
                    main #main tabindex="-1" {
                        h1 { (title) }
                        (content)
                    }
                    footer { p { "stead " (env!("CARGO_PKG_VERSION")) } }
                }
            }
        };
        text(status, "text/html; charset=utf-8", page.into_string())
    }

    fn ways(&self) -> Markup {
        let tabs = TABS.iter().filter(|(.., scope)| self.may(*scope));
        html! {
            a .mark href="/" { "stead" }
            @if let Some((caller, proof)) = &self.who {
                @let (kind, name) = caller.words();
                nav aria-label="Pages" {
                    ul {
                        @for (path, name, _) in tabs {
                            li { a href=(path) aria-current=[self.current(path)] { (name) } }
                        }
                    }
                }
                form .leave method="post" action="/logout" {
                    input type="hidden" name="proof" value=(proof);
                    span { (kind) " " b { (printable(name)) } }
                    button { "Log out" }
                }
            }
        }
    }

    /// Whether whoever looks has this scope.
    fn may(&self, scope: Scope) -> bool {
        self.who.as_ref().is_some_and(|(caller, _)| caller.has(scope))
    }

    /// Whether whoever looks may do this with the jobs of this policy.
    pub(super) fn covers(&self, scope: Scope, policy: &str) -> bool {
        self.who.as_ref().is_some_and(|(caller, _)| caller.covers(scope, policy))
    }

    fn current(&self, path: &str) -> Option<&'static str> {
        match self.path.strip_prefix(path) {
            Some("") => Some("page"),
            Some(rest) if rest.starts_with('/') => Some("true"),
            _ => None,
        }
    }

    /// A form that does one thing.
    pub(super) fn action(&self, path: &str, words: &str) -> Markup {
        let proof = self.who.as_ref().map(|(_, proof)| proof.as_str()).unwrap_or_default();
        html! {
            form method="post" action=(path) {
                input type="hidden" name="proof" value=(proof);
                button { (words) }
            }
        }
    }
}
