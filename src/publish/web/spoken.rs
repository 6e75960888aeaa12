//! Every word of the rooms behind the login, of refusals and of what is said openly, in English and in Japanese.
//!
//! In: nothing. Out: [`Word`]s. Invariant: as in [`super::words`], no word exists in one language alone; what stands in the audit
//! chain (names of acts, outcomes) is shown as it stands there.

use super::words::Word;
use crate::switch::Role;

pub const SKIP: Word = Word("To the content", "本文へ移動");
pub const PAGES: Word = Word("Pages", "ページ一覧");
pub const OPENLY: Word = Word("Said openly", "公開している情報");
pub const FIGURES: Word = Word("Figures", "数値");
pub const AUDIT: Word = Word("Audit chain", "操作の記録");
pub const REPORTS: Word = Word("Reports", "点検");
pub const NOTICE: Word = Word("What the cameras do here", "カメラの使い方について");
pub const SELF_TEST: Word = Word("Last self-test of this box", "この装置の最後の自己検査");
pub const LOG_OUT: Word = Word("Log out", "ログアウト");
pub const NAME_AND_ROLE: Word = Word("{0}, {1}", "{0}（{1}）");

pub const LOG_IN: Word = Word("Log in", "ログイン");
pub const LOG_IN_WHY: Word = Word(
    "For people of this shop. Whoever stands at the box stops it without a password: kehai pause.",
    "この店の担当者のためのページです。装置の前にいる人は、パスワードなしで止められます（kehai pause）。",
);
pub const USER_NAME: Word = Word("Name", "名前");
pub const PASSWORD: Word = Word("Password", "パスワード");
pub const CODE_IF_ANY: Word = Word("Code of six digits, if you have codes", "6桁の確認コード（使っている人だけ）");
pub const WRONG: Word = Word(
    "Name, password or code is wrong. A code holds for half a minute and is good once.",
    "名前、パスワード、確認コードのどれかが違います。確認コードは30秒で変わり、使えるのは一度だけです。",
);

pub const CODE: Word = Word("Code of six digits", "6桁の確認コード");
pub const PAUSE_WHY: Word = Word(
    "Within a second no camera is watched; figures of the window that is open are dropped.",
    "1秒以内にカメラの映像を使わなくなります。集計の途中だった数値は捨てます。",
);
pub const LOCK: Word = Word("Lock", "ロックする");
pub const LOCK_WHY: Word = Word(
    "Stops too, and nothing goes on until an owner has unlocked it and resumed.",
    "計測を止めたうえで、責任者がロックを解除して再開するまで動かないようにします。",
);
pub const PURGE: Word = Word("Delete for ever", "完全に削除する");
pub const PURGE_TITLE: Word = Word("Delete figures", "数値を削除する");
pub const PURGE_WHY: Word = Word(
    "Released windows that begin in this span are deleted, and nobody can bring them back. Times are those of {0}.",
    "この期間に始まる集計枠を削除します。元に戻すことはできません。時刻は {0} のものです。",
);
pub const PURGE_FROM: Word = Word("First moment that goes", "削除する最初の時刻");
pub const PURGE_TO: Word = Word("First moment that stays", "残す最初の時刻");
pub const PURGED: Word = Word(
    "{0} windows are gone, {1} of them had not been delivered.",
    "{0} 個の集計枠を削除しました（うち未送信 {1} 個）。",
);
pub const WRONG_SPAN: Word = Word(
    "Nothing was deleted: two moments are needed, as 2026-11-20 or 2026-11-20T09:00, and the first that stays comes after the \
     first that goes.",
    "何も削除していません。2026-11-20 または 2026-11-20T09:00 の形の時刻が二つ必要で、残す最初の時刻は、削除する最初の時刻より後でなければなりません。",
);
pub const AT_THE_BOX: Word =
    Word("What goes on from here, on site and at the box alone: {0}.", "次の操作は、店舗の装置でだけ行えます: {0}");

pub const DONE_WITHOUT_ROOM: Word = Word(
    "Stopped. It is written down as soon as there is room on the disk.",
    "停止しました。ディスクに空きができしだい記録します。",
);
pub const NOT_DONE_TITLE: Word = Word("Not done", "実行していません");
pub const STOPPED_TITLE: Word = Word("Stopped", "停止しました");
pub const NOT_DONE: Word = Word("Not done: {0}.", "実行していません。理由（英語）: {0}");
pub const NOT_NOW: Word = Word("Not now", "いまはできません");
pub const UNABLE: Word = Word(
    "This box cannot do that now (kehai doctor says why).",
    "この装置では、いまその操作ができません（理由は kehai doctor で調べられます）。",
);

pub const REFUSED: Word = Word("Refused", "お断りしました");
pub const REFUSED_BECAUSE: Word = Word("Refused: {0}.", "次の理由でお断りしました: {0}。");
pub const WRITTEN_DOWN: Word = Word(
    "Nothing has changed. That it was tried stands in the audit chain of this box.",
    "何も変わっていません。試みがあったことは、この装置の操作の記録に残ります。",
);
pub const LATER: Word = Word("Too often", "回数が多すぎます");
pub const LATER_WHY: Word =
    Word("Too often; try again in {0} s.", "回数が多すぎます。{0} 秒後にもう一度お試しください。");
pub const NO_SUCH_PAGE: Word = Word("There is no such page", "そのページはありません");
pub const NOT_THIS_WAY: Word = Word(
    "This page is not asked for like that. Nothing has changed.",
    "このページでは、その方法の要求を受け付けません。何も変わっていません。",
);
pub const BACK: Word = Word("Back", "戻る");
pub const BACK_TO_LOG_IN: Word = Word("To the login", "ログインへ");

pub const NOT_OURS: Word =
    Word("it does not come from a page of this box", "この装置のページから送られたものではありません");
pub const NOBODY: Word = Word("nobody has logged in", "ログインしていません");
pub const NOT_OF_VISIT: Word = Word("the form is not of this visit", "フォームが今回の訪問のものではありません");
pub const NOT_OF_SESSION: Word =
    Word("the form is not of this session", "フォームが今回のログインのものではありません");
pub const NO_CODES: Word = Word(
    "this needs somebody with codes (kehai people add --totp), or somebody at the box (kehai)",
    "確認コードを使う人（kehai people add --totp）か、装置の前にいる人（kehai）だけができます",
);
pub const WRONG_CODE: Word = Word("the code is wrong, or was used before", "確認コードが違うか、すでに使われています");
pub const NOT_OF_ROLE: Word =
    Word("{0} is {1}, and that role may not do this", "{0} は{1}で、この操作の権限がありません");

pub const AUDIT_WHY: Word = Word(
    "Who did what, newest first; that you looked stands there too. Times are those of {0}.",
    "だれが何をしたかを新しい順に示します。見たことも記録されます。時刻は {0} のものです。",
);
pub const WHAT: Word = Word("What", "操作");
pub const WHO: Word = Word("Who", "実行した人");
pub const OUTCOME: Word = Word("Outcome", "結果");
pub const ANY: Word = Word("any", "すべて");
pub const TEXT: Word = Word("Text", "含まれる文字");
pub const SEARCH: Word = Word("Search", "探す");
pub const OLDER: Word = Word("Older", "さらに古いもの");
pub const NUMBER: Word = Word("Number", "番号");
pub const WHEN: Word = Word("When", "日時");
pub const ABOUT: Word = Word("About", "内容");
pub const NOTHING_FOUND: Word = Word("No line is like that.", "当てはまる記録はありません。");
pub const NOT_AS_WRITTEN: Word = Word("not as it was written", "書かれたときのままではありません");
pub const CHAIN_UNREADABLE: Word = Word(
    "The chain cannot be read now (kehai doctor says why).",
    "いまは記録を読めません（理由は kehai doctor で調べられます）。",
);
pub const STORE: Word = Word("Store", "保存");
pub const STORE_STANDS: Word = Word(
    "The chain ends at line {0} of epoch {1}; {2} windows are kept, {3} messages wait for the broker.",
    "操作の記録は第 {1} 期の {0} 行目までです。保存している集計枠は {2} 個、ブローカーへの送信を待つものは {3} 個です。",
);
pub const STORE_UNREADABLE: Word = Word(
    "The store cannot be read (kehai doctor says why).",
    "保存庫を読めません（理由は kehai doctor で調べられます）。",
);
pub const SELF_TEST_WHERE: Word = Word(
    "What was tried on this box, when, and how it ended, for everybody to read:",
    "この装置で何を、いつ試し、どうなったかは、だれでも読めます:",
);
pub const NO_NOTICE: Word = Word(
    "The site file does not yet say what a notice has to say; `kehai setup` names what is missing.",
    "掲示に必要なことが設定ファイルにまだ書かれていません。足りないものは kehai setup で分かります。",
);
pub const NO_SELF_TEST: Word = Word(
    "No self-test was made yet; `kehai report` makes one.",
    "自己検査はまだ行われていません。kehai report で行えます。",
);

/// What a role is called.
#[must_use]
pub const fn role(role: Role) -> Word {
    match role {
        Role::Viewer => Word("viewer", "閲覧者"),
        Role::Installer => Word("installer", "設置担当"),
        Role::Owner => Word("owner", "責任者"),
        Role::Auditor => Word("auditor", "監査担当"),
    }
}
