//! The pages as whoever has no scripts sees them: read by a parser of HTML, each by each.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use scraper::{ElementRef, Html, Selector};
use serde_json::json;
use stead_tests::serve::Server;
use stead_tests::wait;

use crate::client::{Answer, Client};
use crate::hosts;
use crate::service::{Repo, table, token};
use crate::source::Source;

const LIMIT: Duration = Duration::from_secs(60);
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{1b}[31m\u{202e}";

/// Somebody with a browser that runs no scripts.
pub(crate) struct Visitor {
    pub(crate) client: Client,
    pub(crate) cookie: String,
}

impl Visitor {
    /// One who has not logged in.
    pub(crate) fn nobody(server: &Server) -> Self {
        Self { client: Client { at: server.at, token: String::new() }, cookie: String::new() }
    }

    /// One who has logged in by this token.
    pub(crate) fn new(server: &Server, name: &str) -> Result<Self> {
        let mut visitor = Self::nobody(server);
        let answer = visitor.send("/login", &format!("token={}", token(name)))?.is(303)?;
        let cookie = answer.header("set-cookie").context("no cookie")?;
        ensure!(cookie.contains("httponly") && cookie.contains("samesite=strict"), "{cookie}");
        ensure!(!answer.head.contains(&token(name)) && answer.body.is_empty(), "{}", answer.head);
        visitor.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(visitor)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Result<Answer> {
        let headers: Vec<_> =
            more.iter().copied().chain([("cookie", self.cookie.as_str()), ("accept", "text/html")]).collect();
        self.client.ask(method, path, &headers, body.as_bytes())
    }

    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        self.ask("GET", path, &[], "")
    }

    /// A page, which must be sound.
    pub(crate) fn page(&self, path: &str) -> Result<Html> {
        sound(&self.get(path)?.is(200).with_context(|| path.to_owned())?).with_context(|| path.to_owned())
    }

    pub(crate) fn send(&self, path: &str, body: &str) -> Result<Answer> {
        self.ask("POST", path, &[FORM], body)
    }

    /// What the forms of a page have with them.
    pub(crate) fn proof(&self) -> Result<String> {
        let page = self.page("/jobs")?;
        let field = all(&page, "form.leave input[name=proof]").into_iter().next().context("no proof")?;
        Ok(field.attr("value").context("no value")?.to_owned())
    }
}

pub(crate) fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

pub(crate) fn words(page: &Html, selector: &str) -> String {
    let texts = all(page, selector).into_iter().map(|element| element.text().collect::<String>());
    texts.collect::<Vec<_>>().join(" ")
}

/// What holds for every page: the headers, one language, one heading, names for all that has one, and nothing that could run.
pub(crate) fn sound(answer: &Answer) -> Result<Html> {
    for (name, words) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        ensure!(answer.header(name).is_some_and(|value| value.starts_with(words)), "{name}: {}", answer.head);
    }
    ensure!(!answer.head.contains("unsafe"), "{}", answer.head);
    let text = answer.text();
    let page = Html::parse_document(&text);
    ensure!(page.errors.is_empty(), "{:?}\n{text}", page.errors);
    let count = |selector: &str| all(&page, selector).len();
    ensure!(
        count("html[lang=en]") == 1 && count("main") == 1 && count("h1") == 1 && count("a.skip[href='#main']") == 1
    );
    ensure!(count("style") + count("[style]") + count("script:not([src])") + count("iframe") == 0, "{text}");
    ensure!(count("script") == 1 && count("img[onerror]") == 0, "{text}");
    ensure!(all(&page, "*").iter().all(|one| one.value().attrs().all(|(name, _)| !name.starts_with("on"))), "{text}");
    ensure!(!text.contains("test-token") && !text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    for table in all(&page, "table") {
        let within = |selector: &str| table.select(&Selector::parse(selector).unwrap()).count();
        ensure!(within("caption") == 1 && within("th:not([scope])") == 0 && within("th[scope=col]") > 0, "{text}");
    }
    for input in all(&page, "input:not([type=hidden]), select") {
        let id = input.attr("id").context("a field without an id")?;
        ensure!(count(&format!("label[for={id}]")) == 1, "{id} has no label");
    }
    ensure!(all(&page, "img").iter().all(|one| one.attr("alt").is_some_and(|alt| !alt.is_empty())), "{text}");
    let mut level = 1;
    for heading in all(&page, "h1, h2, h3, h4") {
        let next: u32 = heading.value().name()[1..].parse()?;
        ensure!(next <= level + 1, "a heading is left out: {text}");
        level = next;
    }
    Ok(page)
}

#[test]
fn who_has_not_logged_in_is_asked_to() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let nobody = Visitor::nobody(&server);
    let sent = nobody.get("/jobs?state=failed")?.is(303)?;
    assert_eq!(sent.header("location"), Some("/login?next=%2fjobs%3fstate%3dfailed"));
    let login = nobody.page("/login?next=%2Fjobs")?;
    ensure!(all(&login, "form[action='/login'][method=post] input[type=password]#token").len() == 1);
    // A token of the API opens no page, and a cookie no API.
    let bearer = format!("Bearer {}", token("all"));
    nobody.ask("GET", "/jobs", &[("authorization", &bearer)], "")?.is(303)?;
    let visitor = Visitor::new(&server, "all")?;
    visitor.page("/jobs")?;
    assert_eq!(visitor.get("/v1/jobs")?.problem(401)?, "unauthorized");

    let wrong = nobody.send("/login", "token=stead_wrong&next=%2Fjobs")?.is(403)?;
    let page = sound(&wrong)?;
    ensure!(words(&page, "[role=alert]").contains("not known") && wrong.header("set-cookie").is_none());
    ensure!(!wrong.text().contains("stead_wrong"), "what was typed is not shown");
    // On to where one was going, and to no other site.
    let on = nobody.send("/login", &format!("token={}&next=%2Fjobs%3Fstate%3Dfailed", token("all")))?.is(303)?;
    assert_eq!(on.header("location"), Some("/jobs?state=failed"));
    let away = nobody.send("/login", &format!("token={}&next=%2F%2Fevil.example", token("all")))?.is(303)?;
    assert_eq!(away.header("location"), Some("/"));
    // Logging in is a form, too, that another site may not send.
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        let login = format!("token={}", token("all"));
        nobody.ask("POST", "/login", &[FORM, (name, value)], &login)?.is(403)?;
    }
    // Behind TLS the cookie is for it alone.
    let secure =
        nobody.ask("POST", "/login", &[FORM, ("x-forwarded-proto", "https")], &format!("token={}", token("all")))?;
    let cookie = secure.header("set-cookie").context("no cookie")?;
    ensure!(cookie.starts_with("__host-stead=") && cookie.ends_with("; secure"), "{cookie}");

    let proof = visitor.proof()?;
    visitor.send("/logout", "proof=00")?.is(403)?;
    visitor.page("/jobs")?;
    let left = visitor.send("/logout", &format!("proof={proof}"))?.is(303)?;
    ensure!(left.header("set-cookie").is_some_and(|cookie| cookie.contains("max-age=0")), "{}", left.head);
    visitor.get("/jobs")?.is(303)?;
    let said = server.end()?;
    ensure!(!said.contains("test-token"), "{said}");
    Ok(())
}

#[test]
fn a_session_sees_and_does_what_its_token_may() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let api = Client::of(&server, "all");
    api.post("/v1/jobs", &json!({"policy": "other", "input": {"seconds": "no number"}}))?.is(201)?;
    api.until(1, "failed")?;
    let running = api.submit(json!({"seconds": 600}))?;
    api.until(running, "running")?;

    let works = Visitor::new(&server, "works")?;
    let listed = works.page("/jobs")?;
    assert_eq!(words(&listed, "tbody th a"), "2");
    for path in ["", "/log", "/log/stream", "/files/done"] {
        let (hidden, absent) = (works.get(&format!("/jobs/1{path}"))?, works.get(&format!("/jobs/99{path}"))?);
        sound(&hidden.is(404)?)?;
        absent.is(404)?;
    }
    let proof = works.proof()?;
    works.send("/jobs/1/retry", &format!("proof={proof}"))?.is(404)?;
    ensure!(words(&listed, "header nav").contains("Machines") && !words(&listed, "header nav").contains("Hosts"));
    works.get("/hosts")?.is(403)?;

    let reader = Visitor::new(&server, "reader")?;
    wait::until("its first line", LIMIT, || {
        let page = reader.page(&format!("/jobs/{running}"))?;
        Ok(words(&page, ".log").contains("it begins").then_some(()))
    })?;
    let page = reader.page(&format!("/jobs/{running}"))?;
    ensure!(all(&page, ".actions form").is_empty() && words(&page, ".log").contains("it begins"));
    let proof = reader.proof()?;
    reader.send(&format!("/jobs/{running}/cancel"), &format!("proof={proof}"))?.is(403)?;
    reader.get("/machines")?.is(403)?;
    let scraper = Visitor::new(&server, "scraper")?;
    ensure!(words(&scraper.page("/")?, "main").contains("for programs"));
    scraper.get("/jobs")?.is(403)?;

    // What changes something comes from a page of the session.
    let all_may = Visitor::new(&server, "all")?;
    let page = all_may.page(&format!("/jobs/{running}"))?;
    ensure!(words(&page, ".actions button") == "Cancel the job");
    let cancel = format!("/jobs/{running}/cancel");
    all_may.send(&cancel, "")?.is(400)?;
    all_may.send(&cancel, &format!("proof={proof}"))?.is(403)?;
    let proof = format!("proof={}", all_may.proof()?);
    all_may.ask("POST", &cancel, &[FORM, ("sec-fetch-site", "same-site")], &proof)?.is(403)?;
    all_may.ask("POST", &cancel, &[("content-type", "text/plain")], &proof)?.is(415)?;
    all_may.get(&cancel)?.is(405)?;
    all_may.send(&cancel, &"x".repeat(20_000))?.is(413)?;
    ensure!(api.get(&format!("/v1/jobs/{running}"))?.json()?["cancelling"] == false);
    let done = all_may.send(&cancel, &proof)?.is(303)?;
    assert_eq!(done.header("location"), Some(format!("/jobs/{running}").as_str()));
    api.until(running, "cancelled")?;
    all_may.send(&cancel, &proof)?.is(409)?;
    all_may.send("/jobs/1/retry", &proof)?.is(303)?;
    ensure!(api.get("/v1/jobs/1")?.json()?["run"] == 2);

    // A token that is taken out of stead.toml ends its sessions.
    let tables = [table("all", &["read"], &["*"])];
    fs::write(repo.path().join("stead.toml"), format!("{}{}", crate::service::POLICIES, tables.concat()))?;
    server.hang_up("was read again")?;
    reader.get("/jobs")?.is(303)?;
    all_may.send(&cancel, &proof)?.is(403)?;
    all_may.page("/jobs")?;
    Ok(())
}

#[test]
fn jobs_are_read_page_by_page_and_files_never_run() -> Result<()> {
    let repo = Repo::new()?;
    let source = Source::start(&repo)?;
    let server = repo.serve()?;
    let api = Client::of(&server, "all");
    let visitor = Visitor::new(&server, "all")?;
    ensure!(words(&visitor.page("/jobs")?, "main").contains("No job."));
    let mut job = 0;
    for (name, media, disposition) in [
        ("fake.png", "image/png", "inline"),
        ("drawing.svg", "image/svg+xml", "attachment; filename=\"drawing.svg\""),
        ("page.html", "application/octet-stream", "attachment; filename=\"page.html\""),
        ("plot.png", "image/png", "inline"),
    ] {
        job = source.job(&api, name)?;
        let page = visitor.page(&format!("/jobs/{job}"))?;
        assert_eq!(all(&page, "figure img").len(), usize::from(media.starts_with("image/")), "{name}");
        let names = all(&page, "table th a").iter().map(|one| one.text().collect::<String>()).collect::<Vec<_>>();
        assert_eq!(names, if name < "done" { [name, "done"] } else { ["done", name] }.map(str::to_owned));
        let file = visitor.get(&format!("/jobs/{job}/files/{name}"))?.is(200)?;
        let said =
            (file.header("content-type"), file.header("content-disposition"), file.header("x-content-type-options"));
        assert_eq!(said, (Some(media), Some(disposition), Some("nosniff")), "{name}");
        let policy = file.header("content-security-policy").context("no policy")?;
        ensure!(policy.contains("default-src 'none'") && policy.contains("sandbox;"), "{policy}");
    }
    let page = visitor.page(&format!("/jobs/{job}"))?;
    assert_eq!(words(&page, "#state"), "succeeded");
    ensure!(words(&page, ".log").contains("it ends") && words(&page, "pre").contains("\"padding\": \"xxx"));
    // One that ended between the page and its script is told so; who comes back is told to stay away.
    let stream = format!("/jobs/{job}/log/stream?after=1");
    assert_eq!(visitor.get(&stream)?.is(200)?.text().matches("event: ").count(), 1);
    visitor.ask("GET", &stream, &[("last-event-id", "1")], "")?.is(204)?;
    visitor.get(&format!("/jobs/{job}/files/..%2f..%2fqueue.sqlite"))?.is(404)?;

    for _ in 0..51 {
        api.post("/v1/jobs", &json!({"policy": "other", "input": {"seconds": "no number"}}))?.is(201)?;
    }
    let first = visitor.page("/jobs")?;
    assert_eq!(all(&first, "tbody tr").len(), 50);
    let older = all(&first, "a[rel=next]").first().and_then(|one| one.attr("href")).context("no way on")?.to_owned();
    assert_eq!(all(&visitor.page(&older)?, "tbody tr").len(), 5);
    api.until(55, "failed")?;
    let succeeded = visitor.page("/jobs?state=succeeded&policy=")?;
    assert_eq!(words(&succeeded, "tbody th"), "4 3 2 1");
    ensure!(all(&succeeded, "option[selected][value=succeeded]").len() == 1);
    for wrong in ["state=lost", "policy=%3Cb%3E", "before=x", "before=99999999999999999999", "state=%ff"] {
        sound(&visitor.get(&format!("/jobs?{wrong}"))?.is(400)?).with_context(|| wrong.to_owned())?;
    }
    for wrong in ["/jobs/%3Cscript%3E", "/nowhere", "/hosts/%ff", "/jobs/1/log?from=99999999999999999999"] {
        let answer = visitor.get(wrong)?;
        ensure!((400..500).contains(&answer.status), "{wrong}: {}", answer.head);
        sound(&answer)?;
    }
    Ok(())
}

#[test]
fn hosts_are_shown_as_they_were_seen_and_nothing_is_made_up() -> Result<()> {
    let repo = Repo::with(&[table("watcher", &["hosts", "machines"], &["*"])])?;
    let server = repo.serve()?;
    let visitor = Visitor::new(&server, "watcher")?;
    let empty = visitor.page("/hosts")?;
    ensure!(words(&empty, "main").contains("[follow]") && words(&empty, "main").contains("stead follow --print-unit"));
    assert_eq!(visitor.get("/")?.header("location"), Some("/hosts"));

    hosts::write(&repo.path().join("state"), HOSTILE)?;
    let list = visitor.page("/hosts")?;
    let names: Vec<_> = all(&list, "tbody th").iter().map(|one| one.text().collect::<String>()).collect();
    assert_eq!(names, ["away", "box", "fresh"]);
    let rows = words(&list, "tbody");
    for said in ["waiting", "not reached", "2 resources", "to be planned", "0123456789ab"] {
        ensure!(rows.contains(said), "{said} in {rows}");
    }
    let host = visitor.page("/hosts/box")?;
    let said = words(&host, "main");
    for expected in [
        "stead follow approve box",
        "shop-web-1",
        "unhealthy",
        "anna-laptop",
        "file:/etc/motd",
        "alice@laptop",
        "no repository",
        "<script>",
    ] {
        ensure!(said.contains(expected), "{expected} in {said}");
    }
    ensure!(words(&visitor.page("/hosts/fresh")?, "main").contains("Nothing has been seen of it yet"));
    ensure!(words(&visitor.page("/hosts/away")?, "main").contains("no route to host"));
    let firewall = words(&visitor.page("/hosts/box/firewall")?, "main");
    ensure!(
        firewall.contains("drop by default") && firewall.contains("tcp 22") && firewall.contains("10.8.0.0/24"),
        "{firewall}"
    );
    let plan = visitor.page("/hosts/box/plans/waiting")?;
    ensure!(words(&plan, ".plan .good").contains("+two") && words(&plan, ".plan .bad").contains("-one"));
    visitor.page("/hosts/box/plans/drift")?;
    visitor.page("/hosts/box/plans/last")?;
    for absent in ["/hosts/nobody", "/hosts/..%2frecord", "/hosts/fresh/plans/waiting", "/hosts/box/plans/else"] {
        sound(&visitor.get(absent)?.is(404)?).with_context(|| absent.to_owned())?;
    }
    // What is damaged says so, and hides nothing else.
    fs::write(repo.path().join("state/follow/watched/box.json"), "{")?;
    ensure!(words(&visitor.page("/hosts")?, "tbody").contains("cannot be read"));
    visitor.page("/hosts/box")?;
    let machines = visitor.page("/machines")?;
    ensure!(words(&machines, "main").contains("No machine."));
    Ok(())
}

#[test]
fn its_files_are_kept_by_their_digest() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let nobody = Client { at: server.at, token: String::new() };
    let page = Html::parse_document(&nobody.get("/login")?.is(200)?.text());
    for (selector, attribute, media) in [
        ("link[rel=stylesheet]", "href", "text/css"),
        ("script", "src", "text/javascript"),
        ("link[rel=icon]", "href", "image/svg"),
    ] {
        let address =
            all(&page, selector).first().and_then(|one| one.attr(attribute)).context("no address")?.to_owned();
        let file = nobody.get(&address)?.is(200)?;
        ensure!(file.header("content-type").is_some_and(|said| said.starts_with(media)), "{}", file.head);
        ensure!(file.header("cache-control").is_some_and(|said| said.contains("immutable")), "{}", file.head);
        let tag = file.header("etag").context("no tag")?.to_owned();
        ensure!(nobody.ask("GET", &address, &[("if-none-match", &tag)], b"")?.is(304)?.body.is_empty());
        let bare = nobody.get(address.split('?').next().unwrap_or_default())?.is(200)?;
        assert_eq!(bare.header("cache-control"), Some("no-cache"));
    }
    // What is no page stays as it is for programs.
    assert_eq!(nobody.get("/nowhere")?.problem(404)?, "not-found");
    Ok(())
}
