//! The policy behind the code on the sign: everything a shopper or a regulator may want to know, in both languages, in one page
//! that needs no script.
//!
//! In: [`Notice`]. Out: HTML. Invariants: figures and settings are those that run; security is claimed as far as it is proved;
//! what is required by law (who, why, rights, desk) always stands.

mod figures;
mod parties;
mod proofs;
mod rights;

use super::Notice;
use super::layout::escape;
use super::page::whole;
use super::words::SignWords;
use crate::config::declared::{Language, Words};

/// The policy in every language of the notice; the first is shown unless another is chosen.
#[must_use]
pub fn page(notice: &Notice) -> String {
    let first = notice.site.declared.languages.first().copied().unwrap_or(Language::Ja);
    drawn(Place { notice, first, is_on_the_box: false })
}

/// The policy as the box itself shows it: with ways to its self-test and its figures, and in the language a reader likes best
/// where the notice has it.
#[must_use]
pub fn page_on_the_box(notice: &Notice, likes: Language) -> String {
    let languages = &notice.site.declared.languages;
    let first = if languages.contains(&likes) { Some(likes) } else { languages.first().copied() };
    drawn(Place { notice, first: first.unwrap_or(Language::Ja), is_on_the_box: true })
}

/// Where a policy lies, and what is read first there.
#[derive(Clone, Copy)]
struct Place<'a> {
    notice: &'a Notice<'a>,
    first: Language,
    is_on_the_box: bool,
}

fn drawn(place: Place) -> String {
    let Place { notice, first, .. } = place;
    let others = notice.site.declared.languages.iter().copied().filter(|language| *language != first);
    // A page shows the last one unless an earlier one is asked for: no script is needed to choose.
    let articles: String = others.chain([first]).map(|language| article(place, language)).collect();
    let title = format!("{} · {}", SignWords::of(first).details, notice.site.settings.store.name);
    whole(first.code(), &title, &articles)
}

/// What is written for one language.
#[derive(Clone, Copy)]
struct Writer<'a> {
    notice: &'a Notice<'a>,
    language: Language,
}

/// A heading and its HTML.
struct Section {
    title: &'static str,
    html: String,
}

fn article(place: Place, language: Language) -> String {
    let Place { notice, first, is_on_the_box } = place;
    let writer = Writer { notice, language };
    let words = SignWords::of(language);
    let sections = [
        figures::purposes(writer),
        parties::who(writer),
        figures::derived(writer),
        figures::lifecycle(writer),
        parties::recipients(writer),
        rights::rights(writer),
        rights::objection(writer),
        parties::desk(writer),
        rights::people(writer),
        proofs::sources(writer),
        proofs::security(writer),
        proofs::self_test(writer),
        proofs::verify(writer),
        parties::operation(writer),
        parties::changes(writer),
    ];
    let sections: String = sections
        .iter()
        .map(|section| format!("<section>\n<h2>{}</h2>\n{}\n</section>\n", section.title, section.html))
        .collect();
    let languages = &notice.site.declared.languages;
    let first = if first == language { " first" } else { "" };
    let ways = if is_on_the_box { ways(writer) } else { String::new() };
    format!(
        "<article class=\"policy{first}\" id=\"{code}\" lang=\"{code}\">\n<header>{}<p class=\"shop\">{}</p>\n<h1>{}</h1>\n\
         <p class=\"analysed\">{}</p></header>\n{ways}{sections}</article>\n",
        switch(languages, language),
        escape(&notice.site.settings.store.name),
        escape(&words.sentence(language)),
        escape(words.analysed),
        code = language.code(),
    )
}

fn switch(languages: &[Language], shown: Language) -> String {
    if languages.len() < 2 {
        return String::new();
    }
    let link = |language: &Language| {
        let (code, name) = (language.code(), if *language == Language::Ja { "日本語" } else { "English" });
        if *language == shown {
            format!("<b lang=\"{code}\">{name}</b>")
        } else {
            format!("<a href=\"#{code}\" lang=\"{code}\" hreflang=\"{code}\">{name}</a>")
        }
    };
    format!("<nav class=\"languages\">{}</nav>\n", languages.iter().map(link).collect::<String>())
}

/// What else the box shows.
fn ways(writer: Writer) -> String {
    let code = writer.language.code();
    let test = writer.say("この装置の最後の自己検査（くわしく）", "The last self-test of this device, in full");
    let shop = writer.say("店の担当者の方はこちら", "For people of this shop");
    format!(
        "<nav class=\"ways\"><a href=\"/selftest?lang={code}\">{test}</a> <a href=\"/?lang={code}\">{shop}</a></nav>\n"
    )
}

impl Writer<'_> {
    fn say<'w>(&self, ja: &'w str, en: &'w str) -> &'w str {
        match self.language {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    /// A declared text, safe for HTML.
    fn declared(&self, words: Option<&Words>) -> String {
        escape(words.and_then(|words| words.in_language(self.language)).unwrap_or_default())
    }

    fn section(&self, ja: &'static str, en: &'static str, html: String) -> Section {
        Section { title: self.say(ja, en), html }
    }
}

/// A paragraph; `html` is safe already.
fn p(html: &str) -> String {
    if html.is_empty() { String::new() } else { format!("<p>{html}</p>\n") }
}

/// A list; its items are safe already.
fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("<ul>{}</ul>\n", items.into_iter().map(|item| format!("<li>{item}</li>")).collect::<String>())
}

/// A table; its cells are safe already.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    super::page::table(head, rows)
}

/// Names and what they are; the latter safe already.
fn definitions(items: impl IntoIterator<Item = (String, String)>) -> String {
    let items = items.into_iter().filter(|(_, text)| !text.is_empty());
    format!("<dl>{}</dl>\n", items.map(|(name, text)| format!("<dt>{name}</dt><dd>{text}</dd>")).collect::<String>())
}
