//! The people of a test: one of each role, their passwords in files of their own, and what the audit chain says of them.

use kehai::switch::Role;
use kehai::vault::{NewPerson, Password, TotpSecret, Vault};
use kehai::wire::audit::{AuditLine, read_line};

use crate::support::folder::Folder;
use crate::support::papers::private;

/// One of each role, by the role's name; the owner has codes.
pub struct Staff {
    /// What makes the owner's codes.
    pub codes: TotpSecret,
}

impl Staff {
    /// Adds them to a store that knows nobody.
    pub fn join(vault: &Vault) -> Self {
        let codes = TotpSecret::new().expect("randomness");
        Self::added(vault, Some(&codes));
        Self { codes }
    }

    /// The same where nobody has codes.
    pub fn join_without_codes(vault: &Vault) {
        Self::added(vault, None);
    }

    fn added(vault: &Vault, codes: Option<&TotpSecret>) {
        for role in [Role::Owner, Role::Viewer, Role::Installer, Role::Auditor] {
            let password = Password::of(role.name(), password(role)).expect("good");
            let totp = codes.filter(|_| role == Role::Owner);
            let new = NewPerson { name: role.name(), role, password: &password, totp };
            vault.add_person(&new, "owner").expect("they are new");
        }
    }
}

/// The password of whoever has this role.
pub fn password(role: Role) -> &'static str {
    match role {
        Role::Viewer => "quiet paper lantern river",
        Role::Installer => "copper ladder window rain",
        Role::Owner => "seven bridges over snow",
        Role::Auditor => "patient heron in reeds",
    }
}

/// A file with that password.
pub fn password_file(folder: &Folder, role: Role) -> String {
    private(folder, &format!("{}.password", role.name()), password(role))
}

/// The lines of the chain about something that was done or refused.
pub fn lines(vault: &Vault, what: &str, outcome: &str) -> Vec<AuditLine> {
    chain(vault).into_iter().filter(|line| line.what == what && line.outcome == outcome).collect()
}

/// Every line of the chain.
pub fn chain(vault: &Vault) -> Vec<AuditLine> {
    let mut lines = Vec::new();
    vault.export_audit(&mut |line| lines.extend(read_line(line).ok())).expect("the store is there");
    lines
}
