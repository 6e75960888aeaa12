//! Claims: what a sign may say the system does not do, each resting on a self-test.
//!
//! In: the newest [`SelfTest`], what runs ([`Running`]) and the time. Out: the claims that are proved. Invariant: a claim is made
//! only where the newest self-test is of this version, these programs and this declaration, and its proof is green and was made
//! within [`PROOF_AGE_MS_MAX`]; what must be said in any case (who, why, what, how to object, whom to ask) is no claim and not in
//! here.

use std::collections::BTreeMap;

use crate::clock::UtcMs;
use crate::config::declared::Language;
use crate::wire::payload::selftest::{Outcome, Proof, SelfTest};

/// Something the system is said to do or not to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// No picture is stored.
    NotStored,
    /// No face, no person, no age or gender is recognised.
    NoRecognition,
    /// Only totals leave the box.
    AggregatesOnly,
    /// A picture is overwritten in memory once it was looked at.
    Wiped,
    /// What is kept is encrypted.
    Encrypted,
    /// What is kept is deleted after so many days.
    KeptAtMost,
    /// Figures of fewer than k people are withheld.
    KPeople,
    /// What sees the pictures reaches nothing but its cameras.
    NoNetwork,
    /// What is released is signed.
    Signed,
}

/// What runs, to be held against a self-test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Version of the product.
    pub version: String,
    /// SHA-256 (hex) of each program, by its file name, and of the network they load.
    pub binaries: BTreeMap<String, String>,
    /// Hash of everything the site file declares.
    pub declaration: String,
}

/// Figures that stand in claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Fewest people behind a figure.
    pub k: u32,
    /// Days that released figures are kept.
    pub keep_days: u32,
}

impl Claim {
    /// All of them, in the order they are shown in.
    pub const ALL: [Self; 9] = [
        Self::NotStored,
        Self::NoRecognition,
        Self::Wiped,
        Self::AggregatesOnly,
        Self::KPeople,
        Self::KeptAtMost,
        Self::NoNetwork,
        Self::Encrypted,
        Self::Signed,
    ];

    /// Its name, which is also the name of the self-test it rests on.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::NotStored => "not-stored",
            Self::NoRecognition => "no-recognition",
            Self::AggregatesOnly => "aggregates-only",
            Self::Wiped => "wiped",
            Self::Encrypted => "encrypted",
            Self::KeptAtMost => "kept-at-most",
            Self::KPeople => "k-people",
            Self::NoNetwork => "no-network",
            Self::Signed => "signed",
        }
    }

    /// What it says.
    #[must_use]
    pub fn sentence(self, language: Language, bounds: Bounds) -> String {
        match language {
            Language::Ja => self.in_japanese(bounds),
            Language::En => self.in_english(bounds),
        }
    }

    fn in_japanese(self, bounds: Bounds) -> String {
        match self {
            Self::NotStored => "映像は保存しません。".into(),
            Self::NoRecognition => "顔や個人を見分けません。年齢や性別も調べません。".into(),
            Self::AggregatesOnly => "人について装置から出るのは、集計した数字だけです。".into(),
            Self::Wiped => "映像は、解析したあとメモリーからも消します。".into(),
            Self::Encrypted => "集計した数字は、この装置の中では暗号化して保管します。".into(),
            Self::KeptAtMost => format!("集計した数字は、この装置では{}日で自動的に消します。", bounds.keep_days),
            Self::KPeople => format!("{}人に満たない場所の数字は出しません（出入口の人数を除く）。", bounds.k),
            Self::NoNetwork => "映像を解析するプログラムは、カメラのほかにはつながりません。".into(),
            Self::Signed => "出した数字には、改ざんがわかる電子署名を付けます。".into(),
        }
    }

    fn in_english(self, bounds: Bounds) -> String {
        match self {
            Self::NotStored => "Images are not stored.".into(),
            Self::NoRecognition => "No face and no person is recognised. No age, no gender.".into(),
            Self::AggregatesOnly => "Of people, only totals leave the device.".into(),
            Self::Wiped => "Each image is erased from memory after it has been analysed.".into(),
            Self::Encrypted => "The totals are kept encrypted on this device.".into(),
            Self::KeptAtMost => format!("The totals are deleted from this device after {} days.", bounds.keep_days),
            Self::KPeople => {
                format!("Figures about fewer than {} people are withheld (except counts at doors).", bounds.k)
            }
            Self::NoNetwork => "The program that analyses the images can reach nothing but its cameras.".into(),
            Self::Signed => "The totals carry a signature that shows any change.".into(),
        }
    }
}

/// The claims that are proved at this moment, in the order they are shown in.
#[must_use]
pub fn proved(newest: Option<&SelfTest>, running: &Running, at: UtcMs) -> Vec<Claim> {
    let Some(test) = newest.filter(|test| is_of(test, running)) else { return Vec::new() };
    let is_proved = |claim: &Claim| {
        let mut proofs = proofs_of(*claim, test).peekable();
        proofs.peek().is_some() && proofs.all(|proof| proof.outcome == Outcome::Green && is_young(proof, at))
    };
    Claim::ALL.into_iter().filter(is_proved).collect()
}

/// When the oldest proof was made that these claims rest on; nothing where there is none.
#[must_use]
pub fn proved_since(test: &SelfTest, claims: &[Claim]) -> Option<UtcMs> {
    claims.iter().flat_map(|claim| proofs_of(*claim, test)).map(|proof| proof.at).min()
}

fn proofs_of(claim: Claim, test: &SelfTest) -> impl Iterator<Item = &Proof> {
    test.proofs.iter().filter(move |proof| proof.id == claim.id())
}

/// A proof of tomorrow was made by a clock that was wrong, and its age is not known.
fn is_young(proof: &Proof, at: UtcMs) -> bool {
    (0..PROOF_AGE_MS_MAX).contains(&(at.0 - proof.at.0))
}

/// A claim rests on a proof of the last 24 hours (promise 4.12): what a box was like the day before says little of what it is
/// like now, and a timer that runs `kehai report` twice a day keeps to it even if one run fails.
pub const PROOF_AGE_MS_MAX: i64 = 24 * 3_600_000;

/// Whether a self-test is of what runs.
#[must_use]
pub fn is_of(test: &SelfTest, running: &Running) -> bool {
    test.version == running.version
        && !running.binaries.is_empty()
        && test.binaries == running.binaries
        && test.declaration == running.declaration
}
