//! Somebody who turns the switch: a name, a role, and who else could speak in that name.
//!
//! In: what was proved of somebody. Out: [`Person`]s, and whether two of them can be one. Invariant: of two people behind whom one
//! and the same could stand, that one is named.

use serde::{Deserialize, Serialize};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees what is released.
    Viewer,
    /// Sets the box up.
    Installer,
    /// Answers for it: arms, resumes, unlocks, purges.
    Owner,
    /// Reads the audit chain and the reports.
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Installer, Self::Owner, Self::Auditor];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Installer => "installer",
            Self::Owner => "owner",
            Self::Auditor => "auditor",
        }
    }
}

/// Somebody who has shown to be who they say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Name, never given to anybody else.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Number of the password they showed.
    #[serde(default = "first_edition")]
    pub edition: u64,
    /// Who else may know that password: who set it, and whoever may know theirs. Nobody once they set it themselves.
    #[serde(default)]
    pub set_by: Vec<String>,
}

impl Person {
    /// Somebody with the first password of theirs, which nobody else knows.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, edition: first_edition(), set_by: Vec::new() }
    }

    /// Who could have spoken in both names.
    pub(super) fn one_behind<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let behind = |person: &'a Self| std::iter::once(&person.name).chain(&person.set_by);
        behind(self).find(|name| behind(other).any(|other| other == *name)).map(String::as_str)
    }
}

fn first_edition() -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_knows_both_passwords_stands_behind_both() {
        let with = |name: &str, set_by: &[&str]| Person {
            set_by: set_by.iter().map(|name| (*name).to_owned()).collect(),
            ..Person::new(name, Role::Owner)
        };
        assert_eq!(with("hana", &[]).one_behind(&with("ken", &[])), None);
        assert_eq!(with("hana", &[]).one_behind(&with("ken", &["mai"])), None, "mai confirms nothing here");
        assert_eq!(with("hana", &[]).one_behind(&with("ken", &["hana"])), Some("hana"));
        assert_eq!(with("ken", &["hana"]).one_behind(&with("hana", &[])), Some("hana"));
        assert_eq!(with("ken", &["hana"]).one_behind(&with("mai", &["hana"])), Some("hana"), "both were given by one");
    }
}
