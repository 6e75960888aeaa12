//! Least rights: what each role may do, as one table.
//!
//! In: a role, or nobody, and an [`Act`]. Out: whether they may. Invariants: nobody's leave is asked to stop; what nobody may see, a
//! picture, a path, a withheld figure, is no act at all, so that no role can be given it.

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
    /// Set it up: the still of the empty room, lines, zones.
    Setup,
    /// Confirm a configuration and its sign.
    Arm,
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
    /// Make the sign and the policy.
    MakeNotice,
    /// Say who may send commands through the broker.
    Command,
    /// Take the keys and the site file out, encrypted.
    Backup,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::SeeFigures,
        Self::SeeHealth,
        Self::SeeAudit,
        Self::SeeReports,
        Self::Export,
        Self::Setup,
        Self::Arm,
        Self::Pause,
        Self::Resume,
        Self::Lock,
        Self::Unlock,
        Self::Purge,
        Self::Wipe,
        Self::ManagePeople,
        Self::MakeNotice,
        Self::Command,
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
            Self::Setup => "setup",
            Self::Arm => "arm",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Purge => "purge",
            Self::Wipe => "wipe",
            Self::ManagePeople => "manage-people",
            Self::MakeNotice => "make-notice",
            Self::Command => "command",
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
            Self::Setup | Self::Arm | Self::MakeNotice => &[Role::Installer, Role::Owner],
            Self::Resume
            | Self::Unlock
            | Self::Purge
            | Self::Wipe
            | Self::ManagePeople
            | Self::Command
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
        assert_eq!(acts(Some(Role::Installer)), "see-health setup arm pause lock make-notice");
        assert_eq!(acts(Some(Role::Auditor)), "see-health see-audit see-reports pause lock");
        assert_eq!(acts(Some(Role::Owner)).split(' ').count(), Act::ALL.len(), "owners answer for everything");
    }
}
