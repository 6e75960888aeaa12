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
    let languages = &notice.site.declared.languages;
    // A page shows the last one unless an earlier one is asked for: no script is needed to choose.
    let articles: String = languages.iter().rev().map(|language| article(notice, *language)).collect();
    let first = languages.first().copied().unwrap_or(Language::Ja);
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

fn article(notice: &Notice, language: Language) -> String {
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
    let first = if languages.first() == Some(&language) { " first" } else { "" };
    format!(
        "<article class=\"policy{first}\" id=\"{code}\" lang=\"{code}\">\n<header>{}<p class=\"shop\">{}</p>\n<h1>{}</h1>\n\
         <p class=\"analysed\">{}</p></header>\n{sections}</article>\n",
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
    let head: String = head.iter().map(|cell| format!("<th scope=\"col\">{cell}</th>")).collect();
    let row = |cells: &Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    format!(
        "<div class=\"scroll\"><table><thead><tr>{head}</tr></thead><tbody>\n{}</tbody></table></div>\n",
        rows.iter().map(row).collect::<String>()
    )
}

/// Names and what they are; the latter safe already.
fn definitions(items: impl IntoIterator<Item = (String, String)>) -> String {
    let items = items.into_iter().filter(|(_, text)| !text.is_empty());
    format!("<dl>{}</dl>\n", items.map(|(name, text)| format!("<dt>{name}</dt><dd>{text}</dd>")).collect::<String>())
}
