//! The fixed words of signs, in both languages: short sentences, no jargon.
//!
//! Another wording needs another [`super::WORDING_VERSION`]. Source of the sentence that must stand on every sign: guidebook on
//! the use of camera images (IoT Acceleration Consortium, METI, MIC), which asks that analysis be said.

use crate::config::declared::Language;

/// What stands on every sign in one language.
pub struct SignWords {
    /// That images are analysed here.
    pub analysed: &'static str,
    /// What is made of them, in the lines of a wide and of a narrow sign.
    pub headline: [&'static [&'static str]; 2],
    /// Heading of the purposes.
    pub why: &'static str,
    /// Heading of the controllers.
    pub who: &'static str,
    /// That several decide together.
    pub jointly: &'static str,
    /// Heading of what is proved.
    pub promises: &'static str,
    /// When it was proved, in words that stay true on paper; "{}" is the day.
    pub tested: &'static str,
    /// Heading of how to object.
    pub objection: &'static str,
    /// Heading of the desk.
    pub desk: &'static str,
    /// Telephone.
    pub phone: &'static str,
    /// E-mail.
    pub email: &'static str,
    /// When somebody is there.
    pub hours: &'static str,
    /// Where the code leads.
    pub details: &'static str,
    /// Id of the sign.
    pub number: &'static str,
    /// Day it was made.
    pub made: &'static str,
    /// Fingerprint of the configuration.
    pub configuration: &'static str,
    /// Base lines apart, in sizes: Japanese needs more air.
    pub leading: f64,
}

impl SignWords {
    /// Those of a language.
    #[must_use]
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::Ja => &JAPANESE,
            Language::En => &ENGLISH,
        }
    }

    /// The sentence every sign must have, whole.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        self.headline[0].join(if language == Language::Ja { "" } else { " " })
    }
}

const JAPANESE: SignWords = SignWords {
    analysed: "この場所では、カメラの映像を解析しています",
    headline: [
        &["カメラ映像から人の動き(動線)を", "統計化しています"],
        &["カメラ映像から", "人の動き(動線)を", "統計化しています"],
    ],
    why: "目的",
    who: "運営者",
    jointly: "共同で責任を負います。",
    promises: "お約束",
    tested: "{}に、この装置の自己検査で確かめました。",
    objection: "断るには",
    desk: "お問い合わせ",
    phone: "電話",
    email: "メール",
    hours: "受付",
    details: "くわしい説明・あなたの権利",
    number: "掲示番号",
    made: "作成日",
    configuration: "設定",
    leading: 1.5,
};

const ENGLISH: SignWords = SignWords {
    analysed: "Camera images are analysed here",
    headline: [
        &["Camera images are turned into", "statistics of how people move"],
        &["Camera images are", "turned into statistics", "of how people move"],
    ],
    why: "Why",
    who: "Who",
    jointly: "Jointly responsible.",
    promises: "Promises",
    tested: "Tested on {} by this device itself.",
    objection: "To object",
    desk: "Questions?",
    phone: "Phone",
    email: "E-mail",
    hours: "Hours",
    details: "Full details and your rights",
    number: "Sign",
    made: "Made on",
    configuration: "Configuration",
    leading: 1.38,
};
