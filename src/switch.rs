//! The switch: whether cameras may be watched, who decides that, and what can never be loosened.
//!
//! In: [`Turn`]s, each with who asks and from where. Out: the [`Switch`] as it then stands, or why not. Invariants: nothing is
//! watched that is not armed, for this very configuration, by two different people (or one who says openly to be alone);
//! stopping asks for nobody's leave, and what was stopped on site starts again on site only; bounds only tighten ([`Bounds`]).
//! Pure: the vault keeps it and remembers every turn, refused ones too (`vault/switch.rs`); the mouth obeys it.

mod bounds;
mod person;
mod rights;

use serde::{Deserialize, Serialize};

use crate::clock::UtcMs;
pub use bounds::Bounds;
pub use person::{Person, Role};
pub use rights::{Act, may};

/// Where a box stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nobody has the right to arm it yet.
    #[default]
    Unprovisioned,
    /// People are known; it is not armed.
    Setup,
    /// It watches, within its opening hours.
    Armed,
    /// Somebody on site has stopped it.
    PausedHere,
    /// Somebody elsewhere has stopped it.
    PausedRemotely,
    /// Stopped until somebody with the right to it unlocks it on site.
    Locked,
}

impl Mode {
    /// As it stands in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unprovisioned => "unprovisioned",
            Self::Setup => "setup",
            Self::Armed => "armed",
            Self::PausedHere => "paused-here",
            Self::PausedRemotely => "paused-remotely",
            Self::Locked => "locked",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// From where a turn is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// On the box, or a stop at its page.
    Here,
    /// By a command through the broker.
    Afar,
}

/// The configuration somebody arms or starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Hash of the site file (`Settings::declaration`).
    pub declaration: String,
    /// The sign made from it.
    pub sign: String,
    /// How tight it is.
    pub bounds: Bounds,
    /// Whether one owner arms alone.
    pub is_sole_operator: bool,
}

/// What is asked of the switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The first people are known.
    Provision,
    /// Somebody confirms a configuration and its sign.
    Arm {
        /// Who.
        by: Person,
        /// What.
        site: Site,
    },
    /// Stop. Needs nobody's leave.
    Pause(From),
    /// Go on.
    Resume {
        /// Who; none from afar, which is refused in any case.
        by: Option<Person>,
        /// From where.
        from: From,
    },
    /// Stop for good. Needs nobody's leave.
    Lock,
    /// Undo a lock.
    Unlock {
        /// Who.
        by: Option<Person>,
        /// From where.
        from: From,
    },
}

impl Turn {
    /// As it stands in the audit chain.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Arm { .. } => "arm",
            Self::Pause(_) => "pause",
            Self::Resume { .. } => "resume",
            Self::Lock => "lock",
            Self::Unlock { .. } => "unlock",
        }
    }

    /// Whether it can only make less be watched.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Pause(_) | Self::Lock)
    }
}

/// Somebody's confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Confirmation {
    by: Person,
    site: Site,
    at: UtcMs,
}

impl Confirmation {
    /// Whether it is one of two for this configuration, at this moment.
    fn is_for(&self, site: &Site, at: UtcMs) -> bool {
        self.site == *site && (0..=CONFIRMED_MS).contains(&(at.0 - self.at.0))
    }
}

/// What is armed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arming {
    /// Hash of the site file.
    pub declaration: String,
    /// The acknowledged sign.
    pub sign: String,
    /// Who confirmed, in order.
    pub by: Vec<String>,
    /// When the last of them did.
    pub at: UtcMs,
}

/// The switch of a box.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    mode: Mode,
    arming: Option<Arming>,
    /// The first of two.
    confirmed: Option<Confirmation>,
    /// The tightest that was ever armed. A row that says nothing of it is none.
    #[serde(deserialize_with = "Option::deserialize")]
    bounds: Option<Bounds>,
}

/// Why a turn is refused, or nothing watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is locked.
    #[error("locked: an owner unlocks it on site (kehai unlock)")]
    Locked,
    /// It is not armed.
    #[error(
        "not armed: nobody has confirmed this configuration; make its sign (kehai notice), then kehai arm --sign ID"
    )]
    NotArmed,
    /// One of two has confirmed.
    #[error("not armed: {by} has confirmed and another person has to (an owner and an installer, or sole_operator)")]
    HalfArmed {
        /// Who has.
        by: String,
    },
    /// Another configuration was armed.
    #[error(
        "not armed: the configuration has changed since sign {sign} was acknowledged; make a new sign (kehai notice), put it up, then kehai arm --sign ID"
    )]
    Changed {
        /// The sign of the configuration before.
        sign: String,
    },
    /// Not the sign of this configuration.
    #[error(
        "sign {given} is not that of this configuration, which is {right}: make it anew (kehai notice) and put it up"
    )]
    OtherSign {
        /// As given.
        given: String,
        /// What it should be.
        right: String,
    },
    /// One identity twice.
    #[error("{by} has confirmed already; a second person has to, by a credential of their own")]
    SameIdentity {
        /// Who.
        by: String,
    },
    /// Somebody knows the passwords of both.
    #[error(
        "{one} could have confirmed as {first} and as {second}; whoever was given a password sets their own first (kehai people password NAME --as NAME), then both confirm"
    )]
    OneBehindBoth {
        /// Who set a password.
        one: String,
        /// The first to confirm.
        first: String,
        /// The second.
        second: String,
    },
    /// The first of two is not there any more, or has another password.
    #[error(
        "the confirmation of {by} holds no longer: since then they were revoked or got another password; confirm anew, one after the other"
    )]
    FirstGone {
        /// Who.
        by: String,
    },
    /// Two of one role.
    #[error("{by} is {} like the first; one installer and one owner have to confirm", role.name())]
    SameRole {
        /// Who.
        by: String,
        /// What both are.
        role: Role,
    },
    /// Somebody without the right to it.
    #[error("{} may not {what}", role.name())]
    Role {
        /// What they are.
        role: Role,
        /// What was asked.
        what: &'static str,
    },
    /// From afar.
    #[error("{what} is not possible from afar: commands can only stop or ask")]
    Afar {
        /// What was asked.
        what: &'static str,
    },
    /// It was looser than what was armed before.
    #[error("privacy only tightens: {}; what was armed before is loosened by `kehai wipe` alone", keys.join(", "))]
    Looser {
        /// What is, each "key = value, was value".
        keys: Vec<String>,
    },
    /// There is nothing to undo.
    #[error("it is {mode}: there is nothing to {what}")]
    NothingTo {
        /// What was asked.
        what: &'static str,
        /// Where it stands.
        mode: Mode,
    },
}

/// A row of the switch that cannot be read: nothing is watched by it, and nothing armed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the switch cannot be read ({0}): nothing is watched and nothing can be armed; run the version of kehai that wrote it, or begin anew with `kehai wipe`"
)]
pub struct Unreadable(String);

impl Switch {
    /// As the store keeps it.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// Read back. What cannot be read is no switch: its bounds and its lock would be forgotten.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn of_text(text: &str) -> Result<Self, Unreadable> {
        serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))
    }

    /// What outlives the box, in its backup: how tight it was and whether it was locked; not who armed it.
    #[must_use]
    pub fn kept(&self) -> Self {
        let mode = if self.mode == Mode::Locked { Mode::Locked } else { Mode::Unprovisioned };
        Self { mode, bounds: self.bounds.clone(), ..Self::default() }
    }

    /// Where it stands.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What is armed, whether or not it is paused.
    #[must_use]
    pub fn arming(&self) -> Option<&Arming> {
        self.arming.as_ref()
    }

    /// The tightest bounds that were ever armed.
    #[must_use]
    pub fn bounds(&self) -> Option<&Bounds> {
        self.bounds.as_ref()
    }

    /// Who has confirmed this configuration as the first of two, if somebody has and it holds.
    #[must_use]
    pub fn first(&self, site: &Site, at: UtcMs) -> Option<&Person> {
        self.confirmed.as_ref().filter(|first| first.is_for(site, at)).map(|first| &first.by)
    }

    /// The same without what the first of two has confirmed.
    #[must_use]
    pub fn without_first(&self) -> Self {
        Self { confirmed: None, ..self.clone() }
    }

    /// Whether this configuration may be watched, once nothing is paused.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn may_start(&self, declaration: &str, bounds: &Bounds) -> Result<(), Refusal> {
        self.must_not_loosen(bounds)?;
        match (&self.arming, &self.confirmed) {
            (Some(arming), _) if arming.declaration == declaration => Ok(()),
            (_, Some(first)) if first.site.declaration == declaration => {
                Err(Refusal::HalfArmed { by: first.by.name.clone() })
            }
            (Some(arming), _) => Err(Refusal::Changed { sign: arming.sign.clone() }),
            (None, _) => Err(Refusal::NotArmed),
        }
    }

    /// Whether this is what is armed, whether or not it is paused.
    #[must_use]
    pub fn is_armed(&self, declaration: &str) -> bool {
        self.arming.as_ref().is_some_and(|arming| arming.declaration == declaration)
    }

    /// Whether cameras are to be watched now, under this configuration.
    #[must_use]
    pub fn is_on(&self, declaration: &str) -> bool {
        self.mode == Mode::Armed && self.is_armed(declaration)
    }

    /// The switch after a turn.
    ///
    /// # Errors
    /// [`Refusal`]: it stands as before.
    pub fn turned(&self, turn: &Turn, right_sign: Option<&str>, at: UtcMs) -> Result<Self, Refusal> {
        let to = |mode| Ok(Self { mode, ..self.clone() });
        match turn {
            Turn::Provision => to(if self.mode == Mode::Unprovisioned { Mode::Setup } else { self.mode }),
            Turn::Arm { by, site } => self.armed(by, site, right_sign, at),
            // Whoever stops takes back the first of two words too.
            Turn::Pause(from) => Ok(Self { mode: self.paused(*from), confirmed: None, ..self.clone() }),
            Turn::Lock => Ok(Self { mode: Mode::Locked, confirmed: None, ..self.clone() }),
            Turn::Resume { by, from } => {
                may_start_again(Act::Resume, by.as_ref(), *from)?;
                match self.mode {
                    Mode::PausedHere | Mode::PausedRemotely => to(Mode::Armed),
                    Mode::Locked => Err(Refusal::Locked),
                    mode => Err(Refusal::NothingTo { what: "resume", mode }),
                }
            }
            Turn::Unlock { by, from } => {
                may_start_again(Act::Unlock, by.as_ref(), *from)?;
                match (self.mode, &self.arming) {
                    // What was locked goes on only when somebody says so once more.
                    (Mode::Locked, Some(_)) => to(Mode::PausedHere),
                    (Mode::Locked, None) => to(Mode::Setup),
                    (mode, _) => Err(Refusal::NothingTo { what: "unlock", mode }),
                }
            }
        }
    }

    fn paused(&self, from: From) -> Mode {
        match (self.mode, from) {
            (Mode::Armed | Mode::PausedRemotely | Mode::PausedHere, From::Here) => Mode::PausedHere,
            (Mode::Armed, From::Afar) => Mode::PausedRemotely,
            (mode, _) => mode,
        }
    }

    fn armed(&self, by: &Person, site: &Site, right_sign: Option<&str>, at: UtcMs) -> Result<Self, Refusal> {
        if self.mode == Mode::Locked {
            return Err(Refusal::Locked);
        }
        must_have_right(by, if site.is_sole_operator { Act::ArmAlone } else { Act::Arm })?;
        if let Some(right) = right_sign.filter(|right| *right != site.sign) {
            return Err(Refusal::OtherSign { given: site.sign.clone(), right: right.to_owned() });
        }
        self.must_not_loosen(&site.bounds)?;
        let first = self.confirmed.as_ref().filter(|first| first.is_for(site, at));
        let by_whom = match first {
            _ if site.is_sole_operator => vec![by.name.clone()],
            None => {
                let confirmed = Some(Confirmation { by: by.clone(), site: site.clone(), at });
                let mode = if self.mode == Mode::Unprovisioned { Mode::Setup } else { self.mode };
                return Ok(Self { confirmed, mode, ..self.clone() });
            }
            Some(first) if first.by.name == by.name => return Err(Refusal::SameIdentity { by: by.name.clone() }),
            Some(first) if first.by.role == by.role => {
                return Err(Refusal::SameRole { by: by.name.clone(), role: by.role });
            }
            Some(first) => match first.by.one_behind(by) {
                None => vec![first.by.name.clone(), by.name.clone()],
                Some(one) => {
                    let [first, second] = [&first.by.name, &by.name].map(Clone::clone);
                    return Err(Refusal::OneBehindBoth { one: one.to_owned(), first, second });
                }
            },
        };
        let (declaration, sign) = (site.declaration.clone(), site.sign.clone());
        Ok(Self {
            // Who has paused it is not overruled by who arms it.
            mode: if matches!(self.mode, Mode::PausedHere | Mode::PausedRemotely) { self.mode } else { Mode::Armed },
            arming: Some(Arming { declaration, sign, by: by_whom, at }),
            confirmed: None,
            bounds: Some(self.bounds.as_ref().map_or_else(|| site.bounds.clone(), |old| old.tightened(&site.bounds))),
        })
    }

    fn must_not_loosen(&self, bounds: &Bounds) -> Result<(), Refusal> {
        match self.bounds.as_ref().map(|old| old.loosened_by(bounds)) {
            Some(keys) if !keys.is_empty() => Err(Refusal::Looser { keys }),
            _ => Ok(()),
        }
    }
}

/// Nobody starts anything from afar, and on site whoever has the right to it.
fn may_start_again(act: Act, by: Option<&Person>, from: From) -> Result<(), Refusal> {
    match (from, by) {
        (From::Afar, _) | (From::Here, None) => Err(Refusal::Afar { what: act.name() }),
        (From::Here, Some(person)) => must_have_right(person, act),
    }
}

fn must_have_right(by: &Person, act: Act) -> Result<(), Refusal> {
    if may(Some(by.role), act) { Ok(()) } else { Err(Refusal::Role { role: by.role, what: act.name() }) }
}

/// A first confirmation is good for a day, ms: the second person has looked at the same sign.
const CONFIRMED_MS: i64 = 86_400_000;
