//! `kehai notice`: the sign at the door, the policy behind its code and short texts, made from the very configuration that runs.
//!
//! In: a site file and, where the box has one, its newest self-test. Out: files in a folder; the id of the sign, which arming
//! asks for. Invariant: a self-test whose signature is not the box's counts for nothing.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::{note, say, say_json, write_whole};
use super::programs::running;
use super::selftest::page::{Shown, of as self_test_page};
use super::state::state_folder;
use super::{CHECK_FAILED, CONFIGURATION, Failure, NOT_ARMED, USAGE};
use crate::clock::utc_now;
use crate::config::declared::Language;
use crate::config::site::{self, Site};
use crate::notice::claims::{Running, is_of};
use crate::notice::sign::{Form, Sign};
use crate::notice::words::SignWords;
use crate::notice::{Notice, NoticeError, Told, page, policy, render, texts};
use crate::publish::web::Sheets;
use crate::vault::Vault;
use crate::wire::payload::selftest::{SELF_TEST_FILE, SelfTest};

/// Arguments of `kehai notice`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// Folder for the documents; it is made where it is missing
    #[arg(long)]
    out: PathBuf,
    /// What to make
    #[arg(long, value_enum, default_value_t = Format::All)]
    format: Format,
    /// In which language; both: every one that notice.languages names
    #[arg(long, value_enum, default_value_t = Tongue::Both)]
    lang: Tongue,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The sign as a PDF, A4
    A4,
    /// The sign as a PDF, A3
    A3,
    /// The sign as pictures for screens, upright and lying
    Screen,
    /// The sign as a page
    Html,
    /// The policy
    Policy,
    /// Short texts
    Texts,
    /// All of them
    All,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Tongue {
    Ja,
    En,
    Both,
}

/// What was made.
#[derive(Serialize)]
struct Made {
    /// Id of the sign.
    sign: String,
    /// Fingerprint of the configuration, as in every message.
    cfg: String,
    /// Day on the shop's calendar.
    made_on: String,
    /// Claims that are proved and therefore made.
    claims: Vec<&'static str>,
    /// Where the code leads.
    address: String,
    files: Vec<PathBuf>,
}

/// What the box shows to anybody in a language: the policy of what runs, where all of it is declared, and the newest self-test.
#[must_use]
pub fn sheets_of(site: &Site, running: &Running, likes: Language) -> Sheets {
    let known = Known::of(site).unwrap_or_default();
    let told = Told { at: utc_now(), running, newest: known.newest.as_ref(), public_key: known.public_key.clone() };
    let notice = Notice::of(site, told).ok().map(|notice| policy::page_on_the_box(&notice, likes));
    let shown = Shown {
        shop: &site.settings.store.name,
        timezone: &site.settings.store.timezone,
        public_key: known.public_key.as_deref(),
        is_of_what_runs: known.newest.as_ref().is_some_and(|test| is_of(test, running)),
        is_on_the_box: true,
    };
    let self_test = known.newest.as_ref().map(|test| self_test_page(test, &shown, likes));
    Sheets { notice, self_test }
}

fn notice_of(site: &Site) -> Result<Notice<'_>, Failure> {
    let known = Known::of(site)?;
    let running = running(site);
    let told =
        Told { at: utc_now(), running: &running, newest: known.newest.as_ref(), public_key: known.public_key.clone() };
    Ok(Notice::of(site, told)?)
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let site = site::load(&args.site)?;
    let notice = notice_of(&site)?;
    std::fs::create_dir_all(&args.out).map_err(|error| {
        Failure::new(USAGE, format!("--out {}: {error}; name a folder that can be written", args.out.display()))
    })?;
    let mut made = Made {
        sign: notice.sign_id.clone(),
        cfg: notice.cfg.clone(),
        made_on: notice.made_on.clone(),
        claims: notice.claims.iter().map(|claim| claim.id()).collect(),
        address: String::new(),
        files: Vec::new(),
    };
    for language in languages(args, &site)? {
        documents(args, &notice, language, &mut made)?;
    }
    if matches!(args.format, Format::Policy | Format::All) {
        made.keep(&args.out, "policy.html", policy::page(&notice).as_bytes())?;
    }
    if args.json {
        say_json(&made);
    } else {
        say(&made.in_words(&args.site));
    }
    Ok(())
}

fn languages(args: &Args, site: &Site) -> Result<Vec<Language>, Failure> {
    let declared = &site.declared.languages;
    let asked = match args.lang {
        Tongue::Both => return Ok(declared.clone()),
        Tongue::Ja => Language::Ja,
        Tongue::En => Language::En,
    };
    if declared.contains(&asked) {
        return Ok(vec![asked]);
    }
    let code = asked.code();
    Err(Failure::new(USAGE, format!("--lang {code}: notice.languages does not name it; add \"{code}\" and its texts")))
}

/// The documents of one language.
fn documents(args: &Args, notice: &Notice, language: Language, made: &mut Made) -> Result<(), Failure> {
    let (code, out) = (language.code(), args.out.as_path());
    let is_asked = |format: Format| args.format == format || args.format == Format::All;
    let sign = Sign::of(notice, language)?;
    let name = SignWords::of(language).sentence(language);
    made.address.clone_from(&sign.code.address);
    for (form, format) in [(Form::A4, Format::A4), (Form::A3, Format::A3)] {
        if is_asked(format) {
            let pdf = render::pdf(&sign.sheet(form)?, &name)?;
            made.keep(out, &format!("sign-{}-{code}.pdf", form.name()), &pdf)?;
        }
    }
    for form in [Form::Portrait, Form::Landscape].into_iter().filter(|_| is_asked(Format::Screen)) {
        let png = render::png(&sign.sheet(form)?, &name, 1.0)?;
        made.keep(out, &format!("sign-{}-{code}.png", form.name()), &png)?;
    }
    if is_asked(Format::Html) {
        made.keep(out, &format!("sign-{code}.html"), page::sign(notice, &sign).as_bytes())?;
    }
    if is_asked(Format::Texts) {
        made.keep(out, &format!("texts-{code}.txt"), texts::short(notice, language).as_bytes())?;
    }
    Ok(())
}

impl Made {
    fn keep(&mut self, out: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = out.join(name);
        write_whole("--out", &path, bytes)?;
        self.files.push(path);
        Ok(())
    }

    fn in_words(&self, site: &Path) -> String {
        let files: Vec<String> = self.files.iter().map(|file| format!("  {}", file.display())).collect();
        let claims = match self.claims.as_slice() {
            [] => "no claim is made: no self-test of the last 24 hours, of these programs and this declaration, is there; run \
                   `kehai report` and make the sign again"
                .to_owned(),
            claims => format!("claims that are proved: {}", claims.join(", ")),
        };
        format!(
            "sign {}, made on {}, configuration {}\n{}\n{claims}\nnext: put the sign up where it is read before a camera sees \
             anybody, lay policy.html at the address in its code, then `kehai arm --site {} --sign {} --as NAME`",
            self.sign,
            self.made_on,
            self.cfg,
            files.join("\n"),
            site.display(),
            self.sign
        )
    }
}

/// What the box knows of itself.
#[derive(Default)]
struct Known {
    newest: Option<SelfTest>,
    public_key: Option<String>,
}

impl Known {
    /// From the store, where there is one: a sign can be made on another machine before a box is there.
    fn of(site: &Site) -> Result<Self, Failure> {
        let unknown = Self { newest: None, public_key: None };
        let Ok(folder) = state_folder(&site.outlets) else { return Ok(unknown) };
        if !folder.is_dir() {
            return Ok(unknown);
        }
        let vault = match Vault::open_beside(&folder, site.outlets.keeping) {
            Ok(vault) => vault,
            Err(error) => {
                note(&format!("kehai: the store is not opened ({error}); the documents claim nothing and name no key"));
                return Ok(unknown);
            }
        };
        let newest = std::fs::read(folder.join(SELF_TEST_FILE)).ok().and_then(|body| {
            let verified = vault.public_key().verify(&body).map_err(|error| error.to_string());
            let read = verified.and_then(|()| serde_json::from_slice(&body).map_err(|error| error.to_string()));
            read.map_err(|reason| note(&format!("kehai: {SELF_TEST_FILE} is not believed: {reason}"))).ok()
        });
        Ok(Self { newest, public_key: Some(vault.public_key().to_string()) })
    }
}

impl From<NoticeError> for Failure {
    fn from(error: NoticeError) -> Self {
        let code = match error {
            NoticeError::Missing { .. } => NOT_ARMED,
            NoticeError::Unmade { .. } => CHECK_FAILED,
            _ => CONFIGURATION,
        };
        Self::new(code, error.to_string())
    }
}
