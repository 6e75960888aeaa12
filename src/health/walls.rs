//! Which walls stand round an eye; what they are and how they are raised is told in `sandbox.rs`.

/// Walls round an eye, a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walls(u32);

impl Walls {
    /// No wall.
    pub const NONE: Self = Self(0);
    /// Limits of the process.
    pub const LIMITS: Self = Self(1);
    /// A network namespace of its own.
    pub const NAMESPACE: Self = Self(2);
    /// No capability, none to be gained.
    pub const PRIVILEGES: Self = Self(4);
    /// Landlock.
    pub const LANDLOCK: Self = Self(8);
    /// Filter of system calls.
    pub const SECCOMP: Self = Self(16);
    /// Every wall.
    pub const ALL: Self = Self(31);
    /// Each wall with its name, in the order in which they are raised.
    pub const EACH: [(Self, &'static str); 5] = [
        (Self::LIMITS, "limits"),
        (Self::NAMESPACE, "namespace"),
        (Self::PRIVILEGES, "privileges"),
        (Self::LANDLOCK, "landlock"),
        (Self::SECCOMP, "seccomp"),
    ];

    /// The set with these bits; bits no wall has are left out.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The bits of this set.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other` are among these.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Their names.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        Self::EACH.iter().filter(|(wall, _)| self.has(*wall)).map(|(_, name)| *name).collect()
    }

    /// These and `other`.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl std::fmt::Display for Walls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.names();
        f.write_str(&if names.is_empty() { "none".to_owned() } else { names.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_walls_names_them_and_survives_its_bits() {
        let walls = Walls::ALL.without(Walls::LANDLOCK);
        assert_eq!(walls.to_string(), "limits, namespace, privileges, seccomp");
        assert_eq!(Walls::from_bits(walls.bits() | 1 << 20), walls);
        assert_eq!(Walls::NONE.to_string(), "none");
        let each = Walls::EACH.iter().fold(Walls::NONE, |all, (wall, _)| all.with(*wall));
        assert_eq!(each, Walls::ALL);
    }
}
