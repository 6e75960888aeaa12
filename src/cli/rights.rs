//! `kehai rights`: signed answers to people who exercise a right, and what the desk needs to give them.
//!
//! In: a site, a request, the day it came. Out: the answer as a page or as text, and beside it the same as JSON with the box's
//! signature. Invariants: it never asks who somebody is, and takes no word about them; the clock is thirty days.

use std::path::PathBuf;

use jiff::civil::Date;
use serde::Serialize;

use super::arming::must_be_declared;
use super::output::{check_file, note, say, write_whole};
use super::state::{store_of, who};
use super::{Failure, USAGE};
use crate::clock::utc_now;
use crate::config::declared::Language;
use crate::notice::rights::{Asked, Request, answer, questions, runbook};
use crate::notice::{day, sign_id};
use crate::wire::audit::Deed;

/// Arguments of `kehai rights`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file
    #[arg(long, required_unless_present_any = ["runbook", "questions"])]
    site: Option<PathBuf>,
    /// What is asked for: access, erasure, objection, restriction, portability, complaint
    #[arg(long, value_parser = request_of, required_unless_present_any = ["runbook", "questions"])]
    request: Option<Request>,
    /// Day on which it came, on the shop's calendar; else today
    #[arg(long)]
    received: Option<Date>,
    /// ja or en; else the first language of the notice
    #[arg(long, value_parser = language_of)]
    lang: Option<Language>,
    /// File for the answer: a page where it ends in .html, else Markdown; FILE.json is the same, signed
    #[arg(long, required_unless_present_any = ["runbook", "questions"])]
    out: Option<PathBuf>,
    /// Print the runbook of the desk
    #[arg(long, conflicts_with_all = ["site", "request", "received", "out"])]
    runbook: bool,
    /// Print questions people ask at the desk, with answers
    #[arg(long, conflicts_with_all = ["site", "request", "received", "out", "runbook"])]
    questions: bool,
    /// Print the signed answer as well
    #[arg(long)]
    json: bool,
}

/// An answer as it is signed.
#[derive(Serialize)]
struct Answer<'a> {
    v: u8,
    k: &'static str,
    request: &'static str,
    received: &'a str,
    answered: &'a str,
    due: &'a str,
    language: &'static str,
    store: &'a str,
    cfg: String,
    sign: String,
    text: String,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.runbook || args.questions {
        let languages = args.lang.map_or(vec![Language::Ja, Language::En], |language| vec![language]);
        let paper = if args.runbook { runbook } else { questions };
        languages.into_iter().for_each(|language| say(&paper(language).to_markdown()));
        return Ok(());
    }
    match (&args.site, args.request, &args.out) {
        (Some(site), Some(request), Some(out)) => answered(args, (site, request, out)),
        _ => Err(Failure::new(USAGE, "give --site FILE, --request KIND and --out FILE")),
    }
}

fn answered(args: &Args, (path, request, out): (&PathBuf, Request, &PathBuf)) -> Result<(), Failure> {
    check_file("--out", out)?;
    let (site, vault) = store_of(path)?;
    must_be_declared(&site)?;
    let language = language(args.lang, &site.declared.languages)?;
    let today = day(utc_now(), &site.settings.store.timezone);
    let [received, due] = days(args.received, &today)?;
    let asked = Asked { request, received: &received, due: &due, today: &today };
    let paper = answer(&site, asked, language);
    let signed = vault.seal(
        serde_json::to_vec(&Answer {
            v: 1,
            k: "rights",
            request: request.name(),
            received: &received,
            answered: &today,
            due: &due,
            language: language.code(),
            store: &site.settings.store.name,
            cfg: site.settings.revision(),
            sign: sign_id(site.settings.declaration.as_deref().unwrap_or_default()),
            text: paper.to_markdown(),
        })
        .expect("an answer is plain data"),
    );
    let is_page = out.extension().is_some_and(|ending| ending == "html");
    let text = if is_page { paper.to_html() } else { paper.to_markdown() };
    write_whole("--out", out, text.as_bytes())?;
    write_whole("--out", &out.with_added_extension("json"), &signed)?;
    let deed = Deed::done("rights-answer").by(&who()).about("request", request.name());
    vault.remember(&deed.about("received", received.as_str()).about("due", due.as_str()))?;
    if due < today {
        note(&format!("kehai: it was due on {due}; say why it is late, and where one may complain"));
    }
    match args.json {
        true => say(&String::from_utf8_lossy(&signed)),
        false => say(&format!("{}: due {due}; signed beside it, key {}", out.display(), vault.public_key())),
    }
    Ok(())
}

/// The language of an answer: one that everything is declared in.
fn language(wanted: Option<Language>, declared: &[Language]) -> Result<Language, Failure> {
    let codes: Vec<&str> = declared.iter().map(|language| language.code()).collect();
    match wanted {
        None => declared.first().copied().ok_or_else(|| Failure::new(super::NOT_ARMED, "notice.languages is missing")),
        Some(language) if declared.contains(&language) => Ok(language),
        Some(language) => Err(Failure::new(
            USAGE,
            format!(
                "--lang {}: the notice is declared in {}; write its texts in that language too",
                language.code(),
                codes.join(", ")
            ),
        )),
    }
}

/// When it came and until when it is due, on the shop's calendar.
fn days(received: Option<Date>, today: &str) -> Result<[String; 2], Failure> {
    let no_day = |why: &str| Failure::new(USAGE, format!("--received: {why}"));
    let today: Date = today.parse().map_err(|_| no_day("the shop's day cannot be told"))?;
    let received = received.unwrap_or(today);
    if received > today {
        return Err(no_day(&format!("{received} has not come yet in the shop; write the day on which it came")));
    }
    let after = |span: jiff::Span| received.checked_add(span).map_err(|_| no_day("no day of this calendar"));
    // A month is what the GDPR gives, and February is a short one.
    let due = after(jiff::Span::new().days(DUE_DAYS))?.min(after(jiff::Span::new().months(1))?);
    Ok([received.to_string(), due.to_string()])
}

fn request_of(text: &str) -> Result<Request, String> {
    let known = || Request::ALL.map(Request::name).join(", ");
    Request::ALL.into_iter().find(|request| request.name() == text).ok_or_else(|| format!("write one of {}", known()))
}

fn language_of(text: &str) -> Result<Language, String> {
    [Language::Ja, Language::En]
        .into_iter()
        .find(|language| language.code() == text)
        .ok_or_else(|| "write ja or en".into())
}

/// Days in which a request is answered at the latest.
const DUE_DAYS: i64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_due_after_thirty_days_or_a_month_whichever_is_sooner() {
        let due = |received: &str| days(Some(received.parse().expect("a day")), "2027-06-01").map(|[_, due]| due).ok();
        assert_eq!(due("2026-11-27").as_deref(), Some("2026-12-27"));
        assert_eq!(due("2026-12-15").as_deref(), Some("2027-01-14"));
        assert_eq!(due("2027-01-31").as_deref(), Some("2027-02-28"));
        assert_eq!(due("2027-06-02"), None, "tomorrow");
    }
}
