//! What lets somebody in, and all that does not.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{ADMINS, ANNA, refused, repo, serve};
use crate::issuer::{CLIENT, Issuer, SECRET, Signed, now};
use crate::page::{Visitor, all, sound, words};

#[test]
fn whom_the_provider_knows_and_stead_toml_names_is_let_in() -> Result<()> {
    let issuer = Issuer::start()?;
    let repo = repo(&issuer.url(), &format!("{ANNA}{ADMINS}"))?;
    let server = serve(&repo)?;
    let mut anna = Visitor::nobody(&server);
    let login = anna.page("/login?next=%2Fjobs%3Fstate%3Dfailed")?;
    let link = all(&login, "p.sso a").first().and_then(|link| link.attr("href")).context("no link")?.to_owned();
    // To where the provider sends back, whatever name the page was asked by.
    assert_eq!(link, "https://jobs.example.org:8443/sso/login?next=%2Fjobs%3Fstate%3Dfailed");
    ensure!(all(&login, "form[action='/login'] #token").len() == 1, "a token does as well");

    // What the token leaves out is asked for.
    issuer.change(|state| state.user_info = json!({"sub": "17", "email": "anna@example.org", "email_verified": true}));
    let question = anna.begin("?next=%2Fjobs%3Fstate%3Dfailed")?;
    let back = format!("/sso/callback?{}", issuer.log_in(&question)?);
    let begun = anna.cookie.clone();
    let answer = anna.get(&back)?;
    let page = sound(&answer)?;
    ensure!(answer.status == 200 && answer.exact("refresh") == ["0; url=/jobs?state=failed"], "{}", answer.head);
    ensure!(all(&page, "main a[href='/jobs?state=failed']").len() == 1);
    anna.enter(&answer)?;
    let jobs = anna.page("/jobs?state=failed")?;
    ensure!(
        words(&jobs, "form.leave").contains("person anna@example.org") && !words(&jobs, "nav").contains("Machines")
    );
    anna.get("/machines")?.is(403)?;
    assert_eq!(anna.get("/v1/jobs")?.problem(401)?, "unauthorized");

    // The same answer once more: without its cookie, and with it, when the code was used.
    ensure!(refused(anna.get(&back)?, 400)?.contains("begin anew"));
    let thief = Visitor { client: anna.client.clone(), cookie: begun };
    ensure!(refused(thief.get(&back)?, 502)?.contains("invalid_grant"));
    anna.page("/jobs")?;

    // Somebody else, by a group.
    let mut ben = Visitor::nobody(&server);
    issuer.change(|state| {
        state.claims = json!({"sub": "18", "email": "ben@example.org", "email_verified": true, "groups": ["admins"]})
    });
    let answer = ben.log_in(&issuer)?;
    assert_eq!(answer.exact("refresh"), ["0; url=/"]);
    ben.enter(&answer)?;
    ensure!(words(&ben.page("/jobs")?, "form.leave").contains("ben@example.org"));

    // Logging out ends the session here.
    let proof = format!("proof={}", ben.proof()?);
    ben.send("/logout", &proof)?.is(303)?;
    ben.get("/jobs")?.is(303)?;
    let again = ben.log_in(&issuer)?;
    ben.enter(&again)?;

    // Whoever is taken out of stead.toml is out, and the others are not.
    let text = fs::read_to_string(repo.path().join("stead.toml"))?;
    fs::write(repo.path().join("stead.toml"), text.replace(ANNA, ""))?;
    server.hang_up("was read again")?;
    anna.get("/jobs")?.is(303)?;
    ben.page("/jobs")?;
    let said = server.end()?;
    for secret in [SECRET, "code-1", "access-token"] {
        ensure!(!said.contains(secret), "{said}");
    }
    Ok(())
}

#[test]
fn nothing_else_lets_anybody_in() -> Result<()> {
    let issuer = Issuer::start()?;
    let repo = repo(&issuer.url(), &format!("{ANNA}{ADMINS}"))?;
    let server = serve(&repo)?;
    let anna = json!({"email": "anna@example.org", "email_verified": true});
    let mut visitor = Visitor::nobody(&server);

    for (changed, expected) in [
        (json!({"nonce": "0".repeat(64)}), "another login"),
        (json!({"nonce": null}), "another login"),
        (json!({"exp": now() - 120}), "time of its token is over"),
        (json!({"iss": "https://evil.example"}), "another issuer"),
        (json!({"aud": "other"}), "another client"),
        (json!({"aud": [CLIENT, "other"]}), "another client"),
        (json!({"azp": "other"}), "another client"),
        (json!({"sub": null}), "names nobody"),
    ] {
        let mut claims = anna.clone();
        for (key, value) in changed.as_object().into_iter().flatten() {
            claims[key] = value.clone();
        }
        issuer.change(|state| state.claims = claims);
        let found = refused(visitor.log_in(&issuer)?, 403)?;
        ensure!(found.contains(expected) && found.contains("not to be believed"), "{changed}: {found}");
    }
    issuer.change(|state| state.claims = anna.clone());
    for signed in [Signed::ByStranger, Signed::Not, Signed::ByPublicKey, Signed::BySecret] {
        issuer.change(|state| state.signed = signed);
        let found = refused(visitor.log_in(&issuer)?, 403)?;
        ensure!(found.contains("signed"), "{signed:?}: {found}");
    }
    issuer.change(|state| state.signed = Signed::ByKey);

    // An answer to another browser, to none, of another provider, or that was changed.
    let question = visitor.begin("")?;
    let back = issuer.log_in(&question)?;
    let mut other = Visitor::nobody(&server);
    refused(other.get(&format!("/sso/callback?{back}"))?, 400)?;
    other.begin("")?;
    refused(other.get(&format!("/sso/callback?{back}"))?, 400)?;
    for query in [
        "",
        "code=code-1",
        "state=&code=code-1",
        "state=0000&code=code-1",
        "error=access_denied",
        "error=access_denied&state=0",
    ] {
        refused(visitor.get(&format!("/sso/callback?{query}"))?, 400)?;
    }
    let elsewhere = back.split("&iss=").next().context("no issuer")?.to_owned() + "&iss=https%3A%2F%2Fevil.example";
    ensure!(refused(visitor.get(&format!("/sso/callback?{elsewhere}"))?, 403)?.contains("another issuer"));
    // Of all that, nothing has ended the login that was begun.
    visitor.get(&format!("/sso/callback?{back}"))?.is(200)?;

    // The provider says no, in words that may be anybody's.
    let question = visitor.begin("")?;
    let state = question.split("state=").nth(1).and_then(|rest| rest.split('&').next()).context("no state")?;
    let found = refused(
        visitor.get(&format!("/sso/callback?error=access_denied&error_description=Call%20me&state={state}"))?,
        403,
    )?;
    ensure!(found.contains("access_denied") && !found.contains("Call me"), "{found}");

    // To no other site.
    for next in ["%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let question = visitor.begin(&format!("?next={next}"))?;
        let answer = visitor.get(&format!("/sso/callback?{}", issuer.log_in(&question)?))?.is(200)?;
        assert_eq!(answer.exact("refresh"), ["0; url=/"]);
    }
    Ok(())
}

#[test]
fn whoever_may_do_nothing_is_told_what_would_let_them_in() -> Result<()> {
    let issuer = Issuer::start()?;
    let repo = repo(&issuer.url(), &format!("{ANNA}{ADMINS}"))?;
    let server = serve(&repo)?;
    let mut visitor = Visitor::nobody(&server);
    for (claims, expected) in [
        (json!({"email": "anna@example.org"}), ["anna@example.org", "not verified", "[serve.sso.subject.\"17\"]"]),
        (
            json!({"email": "anna@example.org", "email_verified": false, "groups": ["devs"]}),
            ["anna@example.org", "not verified", "[serve.sso.group.\"devs\"]"],
        ),
        (
            json!({"email": "eve@example.org", "email_verified": true}),
            ["eve@example.org", "(verified)", "[serve.sso.email.\"eve@example.org\"]"],
        ),
        (
            json!({"sub": "anna@example.org", "groups": ["Admins"]}),
            ["anna@example.org", "Admins", "[serve.sso.group.\"Admins\"]"],
        ),
        (json!({"groups": ["<script>alert(1)</script>\"]\u{1b}\u{202e}"]}), ["17", "<script>", "scopes = "]),
    ] {
        let subject = claims.get("sub").cloned().unwrap_or(json!("17"));
        issuer.change(|state| (state.claims, state.user_info) = (claims.clone(), json!({"sub": subject})));
        let found = refused(visitor.log_in(&issuer)?, 403)?;
        ensure!(expected.iter().all(|word| found.contains(word)), "{claims}: {found}");
    }
    // Who somebody is, is said of that one.
    issuer.change(|state| {
        (state.claims, state.user_info) =
            (json!({}), json!({"sub": "18", "email": "anna@example.org", "email_verified": true}))
    });
    ensure!(refused(visitor.log_in(&issuer)?, 403)?.contains("somebody else"));
    // An address is verified by whoever says it.
    issuer.change(|state| {
        state.claims = json!({"email": "anna@example.org"});
        state.user_info = json!({"sub": "17", "email": "eve@example.org", "email_verified": true});
    });
    ensure!(refused(visitor.log_in(&issuer)?, 403)?.contains("not verified"));
    Ok(())
}
