//! `kehai people`: who may do what on this box. Names are given once; an owner adds and revokes.
//!
//! The very first person is an owner, and is added on the box by whoever may open its store: that user could read the keys
//! anyway. From then on a name and a password are asked for.

use std::path::PathBuf;

use serde::Serialize;

use super::credentials::{Asker, password};
use super::output::{is_attended, note, say, say_json};
use super::state::{store_of, store_to_set_up, who};
use super::{CHECK_FAILED, Failure, NOT_ARMED, USAGE};
use crate::clock::UtcMs;
use crate::switch::{Act, Mode, Role, Turn};
use crate::vault::{Known, NewPerson, Password, PeopleError, TotpSecret, TurnError, Vault};
use crate::wire::compose::rfc3339;

/// Arguments of `kehai people`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Add somebody; the first of all is an owner
    Add(AddArgs),
    /// List everybody who is or was known
    List(ListArgs),
    /// Revoke somebody; their name is never given again
    Revoke(RevokeArgs),
    /// Give somebody another password: an owner does, or they themselves
    Password(PasswordArgs),
}

#[derive(clap::Args)]
struct AddArgs {
    /// Name: 1 to 32 of a-z, 0-9, _ and -; one for each person
    name: String,
    /// What they may do: viewer, installer, owner, auditor
    #[arg(long, value_parser = role_of)]
    role: Role,
    /// Make a secret for codes of a second factor, and print it once
    #[arg(long)]
    totp: bool,
    #[command(flatten)]
    on: On,
    /// File with the new person's password, mode 0600
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

#[derive(clap::Args)]
struct ListArgs {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct RevokeArgs {
    /// Whom
    name: String,
    #[command(flatten)]
    on: On,
}

#[derive(clap::Args)]
struct PasswordArgs {
    /// Whose
    name: String,
    #[command(flatten)]
    on: On,
    /// File with the new password, mode 0600
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

/// On which box, and who asks.
#[derive(clap::Args)]
struct On {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    #[command(flatten)]
    asker: Asker,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Added<'a> {
    name: &'a str,
    role: Role,
    totp_secret: Option<String>,
    totp_uri: Option<String>,
    /// What they do before they arm, where somebody else knows their password.
    next: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    role: Role,
    totp: bool,
    /// Who else may know their password, until they set it themselves.
    set_by: Vec<String>,
    added: String,
    revoked: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Add(args) => add(args),
        Command::List(args) => list(args),
        Command::Revoke(args) => revoke(args),
        Command::Password(args) => change(args),
    }
}

fn role_of(text: &str) -> Result<Role, String> {
    let known = || Role::ALL.map(Role::name).join(", ");
    Role::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| format!("write one of {}", known()))
}

fn add(args: &AddArgs) -> Result<(), Failure> {
    let (_, vault) = store_to_set_up(&args.on.site)?;
    let by = asked_by(&vault, &args.on.asker)?;
    let password = new_password(&args.name, args.new_password_file.as_deref())?;
    let no_randomness = || Failure::new(CHECK_FAILED, PeopleError::NoRandomness.to_string());
    let totp = if args.totp { Some(TotpSecret::new().ok_or_else(no_randomness)?) } else { None };
    vault
        .add_person(&NewPerson { name: &args.name, role: args.role, password: &password, totp: totp.as_ref() }, &by)?;
    if vault.switch()?.mode() == Mode::Unprovisioned {
        vault.turn(&Turn::Provision, &by, None).map_err(|error| match error {
            TurnError::Store(error) => error.into(),
            TurnError::Refused(why) => Failure::new(NOT_ARMED, why.to_string()),
        })?;
    }
    let next = is_borrowed(&vault, &args.name)?.then(|| own_password_first(&args.name, &args.on.site));
    if args.on.json {
        say_json(&Added {
            name: &args.name,
            role: args.role,
            totp_secret: totp.as_ref().map(|totp| totp.to_text().to_string()),
            totp_uri: totp.as_ref().map(|totp| totp.to_uri(&args.name).to_string()),
            next,
        });
        return Ok(());
    }
    say(&format!("{} is {}", args.name, args.role.name()));
    if let Some(totp) = totp {
        say(&format!("secret for their codes, shown this once: {}", *totp.to_text()));
        say(&totp.to_uri(&args.name));
    }
    next.into_iter().for_each(|next| say(&next));
    Ok(())
}

/// Whether somebody else set their password.
fn is_borrowed(vault: &Vault, name: &str) -> Result<bool, Failure> {
    Ok(vault.people()?.iter().any(|known| known.name == name && !known.set_by.is_empty()))
}

fn own_password_first(name: &str, site: &std::path::Path) -> String {
    let site = site.display();
    format!(
        "before arming {name} sets a password that nobody else knows: kehai people password {name} --as {name} --site {site}"
    )
}

/// Who adds somebody: an owner; where nobody is known, whoever may open the store.
fn asked_by(vault: &Vault, asker: &Asker) -> Result<String, Failure> {
    if !vault.has_people()? {
        return Ok(who());
    }
    asker.leave(vault, Act::ManagePeople, "person-add")
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let (_, vault) = store_of(&args.site)?;
    let at = |at_s: i64| rfc3339(UtcMs(at_s * 1000));
    let listed = |known: Known| Listed {
        name: known.name,
        role: known.role,
        totp: known.has_totp,
        set_by: known.set_by,
        added: at(known.made_s),
        revoked: known.revoked_s.map(at),
    };
    let people: Vec<Listed> = vault.people()?.into_iter().map(listed).collect();
    if args.json {
        say_json(&people);
        return Ok(());
    }
    if people.is_empty() {
        note("kehai: nobody is known yet; kehai people add NAME --role owner");
    }
    for known in people {
        let codes = if known.totp { "with codes" } else { "" };
        let until = known.revoked.map(|at| format!("revoked {at} ")).unwrap_or_default();
        let set_by = if known.set_by.is_empty() {
            String::new()
        } else {
            format!("password set by {}", known.set_by.join(", "))
        };
        let (name, role) = (known.name, known.role.name());
        say(format!("{name:<32} {role:<9} {} {codes:<10} {until}{set_by}", known.added).trim_end());
    }
    Ok(())
}

fn revoke(args: &RevokeArgs) -> Result<(), Failure> {
    let (_, vault) = store_of(&args.on.site)?;
    let by = args.on.asker.leave(&vault, Act::ManagePeople, "person-revoke")?;
    vault.revoke_person(&args.name, &by)?;
    told(args.on.json, (&args.name, "revoked"), None);
    Ok(())
}

fn change(args: &PasswordArgs) -> Result<(), Failure> {
    let (_, vault) = store_of(&args.on.site)?;
    let by = match &args.on.asker.name {
        // Everybody changes their own, by the old one.
        Some(name) if *name == args.name => args.on.asker.prove(&vault, name)?.name,
        _ => args.on.asker.leave(&vault, Act::ManagePeople, "person-password")?,
    };
    let password = new_password(&args.name, args.new_password_file.as_deref())?;
    vault.change_password(&args.name, &password, &by)?;
    let next = is_borrowed(&vault, &args.name)?.then(|| own_password_first(&args.name, &args.on.site));
    told(args.on.json, (&args.name, "another password"), next);
    Ok(())
}

fn told(json: bool, (name, what): (&str, &str), next: Option<String>) {
    if json {
        say_json(&serde_json::json!({ "name": name, "done": what, "next": next }));
    } else {
        say(&format!("{name}: {what}"));
        next.into_iter().for_each(|next| say(&next));
    }
}

/// A new password; typed twice where a person types it.
fn new_password(name: &str, file: Option<&std::path::Path>) -> Result<Password, Failure> {
    let refused = |why: String| Failure::new(USAGE, format!("new password of {name}: {why}"));
    let text = password(&format!("new password of {name}"), ("--new-password-file", file))?;
    if file.is_none() && is_attended() && *password("once more", ("--new-password-file", None))? != *text {
        return Err(refused("the two are not the same; nothing was done".to_owned()));
    }
    Password::of(name, &text).map_err(|weak| refused(weak.to_string()))
}

impl From<PeopleError> for Failure {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Store(error) => error.into(),
            PeopleError::NotOwner { .. } | PeopleError::LastOwner { .. } => {
                Self::new(NOT_ARMED, format!("refused: {error}"))
            }
            PeopleError::NoRandomness => Self::new(CHECK_FAILED, error.to_string()),
            _ => Self::new(USAGE, error.to_string()),
        }
    }
}
