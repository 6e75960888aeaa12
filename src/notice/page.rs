//! Pages: the sign as one, and what all pages share. They load nothing, run nothing and send nothing.
//!
//! In: [`Notice`], [`Sign`]. Out: HTML in one file. Invariants: everything declared is escaped; a policy of contents forbids
//! scripts and requests; a page says its language.

use super::Notice;
use super::layout::{Area, escape};
use super::sign::{Mark, Row, Sign, pictogram};
use super::words::SignWords;

/// The sign as a page that can be printed.
#[must_use]
pub fn sign(notice: &Notice, sign: &Sign) -> String {
    let words = SignWords::of(sign.language);
    let square = Area { x: 0.0, y: 0.0, width: 100.0, height: 100.0 };
    let code = sign.code.svg(square);
    let rows: String = sign.rows.iter().map(row).collect();
    let desk: String = sign.desk.iter().map(|text| format!("<p>{}</p>", escape(text))).collect();
    let body = format!(
        "<main class=\"sign\">\n<header><svg class=\"camera\" viewBox=\"0 0 100 100\" aria-hidden=\"true\">{}</svg>\
         <div><p class=\"shop\">{}</p><p class=\"analysed\">{}</p></div>\n<h1>{}</h1></header>\n{rows}\
         <section class=\"desk\"><div><h2>{}</h2>{desk}<h2>{}</h2><p><a href=\"{}\">{}</a></p></div>\
         <svg class=\"code\" viewBox=\"0 0 100 100\" role=\"img\" aria-label=\"{}\">{code}</svg></section>\n\
         <footer>{}</footer>\n</main>",
        pictogram(square, "#10335c", "#ffffff", "#d9822b"),
        escape(&sign.shop),
        escape(words.analysed),
        escape(&words.sentence(sign.language)),
        escape(words.desk),
        escape(words.details),
        escape(&sign.code.address),
        escape(&sign.policy_url),
        escape(words.details),
        escape(&sign.footer),
    );
    let title = format!("{} · {}", words.sentence(sign.language), notice.site.settings.store.name);
    whole(sign.language.code(), &title, &body)
}

fn row(row: &Row) -> String {
    let small = row.small.iter().map(|text| format!("<p class=\"small\">{}</p>", escape(text)));
    let texts: String = match row.mark {
        Mark::None => row.texts.iter().map(|(_, text)| format!("<p>{}</p>", escape(text))).collect(),
        mark => {
            let class = if mark == Mark::Check { " class=\"checks\"" } else { "" };
            let items: String = row.texts.iter().map(|(_, text)| format!("<li>{}</li>", escape(text))).collect();
            format!("<ul{class}>{items}</ul>")
        }
    };
    format!(
        "<section class=\"row\"><h2>{}</h2><div>{texts}{}</div></section>\n",
        escape(row.heading),
        small.collect::<String>()
    )
}

/// A table; its cells are safe already. Each cell tells its column, for a phone shows a row as a card.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let heads: String = head.iter().map(|cell| format!("<th scope=\"col\">{cell}</th>")).collect();
    let row = |cells: &Vec<String>| {
        let cells = head.iter().zip(cells).map(|(head, cell)| format!("<td data-head=\"{head}\">{cell}</td>"));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    format!(
        "<table><thead><tr>{heads}</tr></thead><tbody>\n{}</tbody></table>\n",
        rows.iter().map(row).collect::<String>()
    )
}

/// A page around its body.
#[must_use]
pub fn whole(language: &str, title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n",
        escape(title)
    )
}

const STYLE: &str = include_str!("page/page.css");
