//! Of the self-test: where figures may go, whether that is declared, by whom this box was armed, and until when papers hold.
//!
//! In: a site and its store. Out: proofs. Invariant: nothing of the shop is sent.

use super::{judged, not_run};
use crate::cli::Failure;
use crate::cli::arming::{armable, missing};
use crate::cli::doctor::broker;
use crate::config::broker::Broker;
use crate::config::site::Site;
use crate::vault::Vault;
use crate::wire::payload::selftest::Proof;

pub(super) fn proofs(site: &Site, vault: &Vault) -> Result<Vec<Proof>, Failure> {
    let site_now = armable(site);
    let switch = vault.switch()?;
    let armed = match switch.may_start(&site_now.declaration, &site_now.bounds) {
        Ok(()) => judged(
            "armed",
            Ok(format!("armed for this declaration and sign {}; {}", site_now.sign, switch.mode().name())),
        ),
        Err(refusal) => not_run("armed", &refusal.to_string()),
    };
    let weakened = weakened(&site_now.bounds.dangers);
    Ok(vec![armed, judged("dangers", weakened), judged("recipients", recipients(site)), papers(site)])
}

/// That nothing weakens protection. That one person arms alone is no danger of that kind: it is declared, and said openly, here too.
fn weakened(dangers: &[String]) -> Result<String, String> {
    let (on, declared): (Vec<_>, Vec<_>) = dangers.iter().partition(|key| key.contains("dangerous_"));
    let also = match declared.iter().any(|key| *key == "switch.sole_operator") {
        true => "; one person arms alone (switch.sole_operator), as the policy says",
        false => "",
    };
    match on.is_empty() {
        true => Ok(format!("no key that begins with dangerous_ is on{also}")),
        false => Err(format!("on: {}{also}", on.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", "))),
    }
}

/// That the broker is the only way out, and everybody who reads there is declared.
fn recipients(site: &Site) -> Result<String, String> {
    let undeclared = missing(site);
    if !undeclared.is_empty() {
        return Err(format!("the site file does not say {}", undeclared.join(", ")));
    }
    let broker = match &site.outlets.broker {
        None => "no broker".to_owned(),
        Some(Broker::Embedded { port, .. }) => format!("a broker on this box, port {port}"),
        Some(Broker::At(remote)) => format!("one broker, {}", remote.url()),
    };
    let page = site.outlets.page.as_ref().map_or("no page".to_owned(), |door| format!("a page at {}", door.url()));
    let names: Vec<&str> = site.declared.recipients.iter().map(|recipient| recipient.name.as_str()).collect();
    let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    Ok(format!("ways out: {broker}, {page}; declared recipients: {names}"))
}

/// Whether the broker's certificate holds for a while yet.
fn papers(site: &Site) -> Proof {
    let Some(Broker::At(remote)) = &site.outlets.broker else {
        return not_run("tls", "no broker beyond this box, so nothing travels");
    };
    if remote.tls.is_none() {
        return not_run(
            "tls",
            "the broker is spoken to without TLS; it is on this box, or broker.dangerous_plaintext says so",
        );
    }
    match broker::check(site, remote) {
        Err(failure) => not_run("tls", &failure.message),
        Ok(told) => match told.into_iter().find(|(what, _)| *what == "broker: certificates") {
            Some((_, outcome)) => judged("tls", outcome),
            None => not_run("tls", "the broker did not answer"),
        },
    }
}
