//! Least rights: what each role may do, as one table.
//!
//! In: a role, or nobody, and an [`Act`]. Out: whether they may. Invariants: every act of the table is asked for by a command, a
//! page or the switch itself, and what nothing can refuse, such as to make papers of a site file one can read, is no act; nobody's
//! leave is asked to stop; what nobody may see, a picture, a path, a withheld figure, is no act at all, so that no role can be given it.

use super::Role;

/// What somebody may want of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Look at released figures.
    SeeFigures,
    /// Look at how box and cameras fare, and where the switch stands.
    SeeHealth,
    /// Search the audit chain and take it out.
    SeeAudit,
    /// Look at self-tests and reports.
    SeeReports,
    /// Take released figures out.
    Export,
    /// Confirm a configuration and its sign, beside another person.
    Arm,
    /// Confirm them alone, where the site file says openly that somebody is.
    ArmAlone,
    /// Stop.
    Pause,
    /// Go on.
    Resume,
    /// Stop for good.
    Lock,
    /// Undo a lock.
    Unlock,
    /// Delete released windows.
    Purge,
    /// Destroy the store.
    Wipe,
    /// Add and revoke people.
    ManagePeople,
    /// Take the keys and the site file out, encrypted.
    Backup,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::SeeFigures,
        Self::SeeHealth,
        Self::SeeAudit,
        Self::SeeReports,
        Self::Export,
        Self::Arm,
        Self::ArmAlone,
        Self::Pause,
        Self::Resume,
        Self::Lock,
        Self::Unlock,
        Self::Purge,
        Self::Wipe,
        Self::ManagePeople,
        Self::Backup,
    ];

    /// As it stands in the audit chain.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SeeFigures => "see-figures",
            Self::SeeHealth => "see-health",
            Self::SeeAudit => "see-audit",
            Self::SeeReports => "see-reports",
            Self::Export => "export",
            Self::Arm => "arm",
            Self::ArmAlone => "arm-alone",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Purge => "purge",
            Self::Wipe => "wipe",
            Self::ManagePeople => "manage-people",
            Self::Backup => "backup",
        }
    }

    /// Who may; those that stop anybody may, with no role at all too.
    fn roles(self) -> &'static [Role] {
        match self {
            Self::Pause | Self::Lock => &Role::ALL,
            Self::SeeHealth => &[Role::Viewer, Role::Installer, Role::Owner, Role::Auditor],
            Self::SeeFigures | Self::Export => &[Role::Viewer, Role::Owner],
            Self::SeeAudit | Self::SeeReports => &[Role::Auditor, Role::Owner],
            Self::Arm => &[Role::Installer, Role::Owner],
            Self::ArmAlone
            | Self::Resume
            | Self::Unlock
            | Self::Purge
            | Self::Wipe
            | Self::ManagePeople
            | Self::Backup => &[Role::Owner],
        }
    }
}

/// Whether somebody of this role, or nobody in particular, may do this.
#[must_use]
pub fn may(role: Option<Role>, act: Act) -> bool {
    match role {
        Some(role) => act.roles().contains(&role),
        None => matches!(act, Act::Pause | Act::Lock),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PRIVACY §5, a row a role.
    #[test]
    fn every_role_has_the_least_it_needs() {
        let acts =
            |role| Act::ALL.into_iter().filter(|act| may(role, *act)).map(Act::name).collect::<Vec<_>>().join(" ");
        assert_eq!(acts(None), "pause lock");
        assert_eq!(acts(Some(Role::Viewer)), "see-figures see-health export pause lock");
        assert_eq!(acts(Some(Role::Installer)), "see-health arm pause lock");
        assert_eq!(acts(Some(Role::Auditor)), "see-health see-audit see-reports pause lock");
        assert_eq!(acts(Some(Role::Owner)).split(' ').count(), Act::ALL.len(), "owners answer for everything");
    }
}
