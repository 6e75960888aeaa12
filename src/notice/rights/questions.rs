//! Questions people ask at the desk, with answers in words that can be said aloud.
//!
//! In: a language. Out: a paper. Invariant: no answer denies that pictures of people are personal data while they are looked at.

use crate::config::declared::Language;
use crate::notice::paper::{Block, Paper};

/// Questions and answers.
#[must_use]
pub fn questions(language: Language) -> Paper {
    let say = |(ja, en): (&str, &str)| match language {
        Language::Ja => ja.to_owned(),
        Language::En => en.to_owned(),
    };
    let first = Block::Text(say(FIRST));
    let answers =
        QUESTIONS.iter().flat_map(|[question, answer]| [Block::Heading(say(*question)), Block::Text(say(*answer))]);
    Paper {
        title: say(("窓口の質問と答え", "Questions at the desk")),
        language,
        blocks: std::iter::once(first).chain(answers).collect(),
    }
}

type Texts = (&'static str, &'static str);

/// Answers are of the product; whether this box keeps to them is for its self-test to say.
const FIRST: Texts = (
    "答える前に、今日の自己検査（掲示のコードの先のページ）を見てください。合格していないことは、そのとおりに伝え、下の答えを使わないでください。",
    "Before you answer, look at today's self-test, on the page behind the sign's code. Where something did not hold or was not tried, say so, and do not use the answer below.",
);
const QUESTIONS: &[[Texts; 2]] = &[
    [
        ("私は録画されていますか。", "Am I being recorded?"),
        (
            "いいえ、このしくみは録画しません。カメラの映像から人の位置を取り出し、映像は解析のたびに消します。防犯カメラが別にある店では、そちらは別のものです。",
            "This system does not record. Where people are is taken out of the picture, and the picture is destroyed after each look. A shop may have security cameras besides; they are another matter.",
        ),
    ],
    [
        ("顔を見分けますか。", "Does it recognise faces?"),
        (
            "いいえ。人がいることと、どこにいるかだけを調べます。だれかは調べません。",
            "No. It looks for whether somebody is there, and where. Not for who it is.",
        ),
    ],
    [
        ("年齢や性別は調べますか。", "Does it work out age or gender?"),
        ("いいえ。だれもが同じ「一人」です。", "No. Everybody is one person, alike."),
    ],
    [
        ("それでも、個人情報なのですか。", "Is it personal data all the same?"),
        (
            "はい。解析しているあいだの映像は個人情報です。だから掲示でお知らせし、すぐに消しています。",
            "Yes. While it is analysed, a picture of you is personal data. That is why a sign tells you, and why it is destroyed at once.",
        ),
    ],
    [
        ("何のために使いますか。", "What is it for?"),
        (
            "掲示に書いた目的のためだけです。たとえば、混む時間を知って人を増やすことです。",
            "For what stands on the sign and nothing else: for instance, to have more people at the till when it is busy.",
        ),
    ],
    [
        ("断れますか。", "Can I object?"),
        (
            "はい、いつでも。数えられない道をご案内します。今すぐ止めることもできます。理由はいりません。",
            "Yes, at any time. We show you the way that is not counted, or pause it now. You need no reason.",
        ),
    ],
    [
        ("断ると、不利になりますか。", "Will I be treated differently if I object?"),
        ("いいえ。まったく同じです。", "No. Not in any way."),
    ],
    [
        ("私のデータを見せてください。", "May I see my data?"),
        (
            "どの数字があなたの分か、調べる方法がありません。この装置にあるものを、署名つきの紙でお渡しします。",
            "There is no means to tell which part of a figure is you. You get a signed paper that says all that exists on this device.",
        ),
    ],
    [
        ("私のデータを消してください。", "Please delete my data."),
        (
            "映像はもうありません。いらした日と時間帯を教えていただければ、その間の数字をこの装置からまとめて消します。",
            "The pictures are gone already. Tell us day and time, and all figures of that time are deleted from this device.",
        ),
    ],
    [
        ("身分証明書は必要ですか。", "Do you need my papers?"),
        (
            "いいえ。お名前も、返事をお送りするとき以外はうかがいません。",
            "No. Not even your name, unless we are to send you the answer.",
        ),
    ],
    [
        ("子どもも数えられますか。", "Are children counted?"),
        (
            "はい、一人として数えます。子どもかどうかは調べません。",
            "Yes, as one person each. Whether somebody is a child is not worked out.",
        ),
    ],
    [
        ("だれが数字を見ますか。", "Who sees the figures?"),
        (
            "掲示の先のページに書いた相手だけです。この装置は、ほかの相手には届けません。",
            "Those who are named on the page behind the sign's code. The device delivers to nobody else.",
        ),
    ],
    [
        ("どのくらい残りますか。", "For how long are they kept?"),
        (
            "この装置の数字は、長くても30日で自動的に消えます。正確な日数はページにあります。届け先に渡した数字は、届け先の決まりによります。",
            "From this device totals go by themselves after thirty days at most; the page says exactly. Recipients keep theirs by rules of their own.",
        ),
    ],
    [
        ("警察に映像を渡しますか。", "Do the police get pictures?"),
        (
            "渡せる映像がありません。法律にもとづいて数字を求められたら、記録に残します。",
            "There are none to give. If the law makes us hand over figures, that is noted.",
        ),
    ],
    [
        ("本当かどうか、どうすればわかりますか。", "How can I tell that this is true?"),
        (
            "掲示のコードの先に、装置が自分で試した結果があります。日付と署名が付いています。",
            "Behind the code on the sign are the results of the device's own tests, dated and signed.",
        ),
    ],
    [
        ("従業員も見張られていますか。", "Are employees watched?"),
        (
            "従業員の評価に使うことは禁じています。従業員の場所は、数えないように設定できます。",
            "It must not be used to evaluate anybody. Their places can be left out.",
        ),
    ],
    [
        ("納得できないときは。", "And if I am not satisfied?"),
        (
            "監督機関に申し立てることができます。名前は掲示とお返事に書いてあります。",
            "You can complain to the authority; it is named on the page and in our answer.",
        ),
    ],
];
