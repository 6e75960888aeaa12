//! Papers: what is put before a person as headings, sentences, lists and tables, in one language.
//!
//! In: texts, some of them declared by anybody. Out: HTML that loads, runs and sends nothing, and Markdown. Invariant: a text
//! stays a text, whatever is in it.

use std::fmt::Write;

use crate::config::declared::Language;

/// A paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// What it is called.
    pub title: String,
    /// What it is written in.
    pub language: Language,
    /// What it says, in order.
    pub blocks: Vec<Block>,
}

/// A part of a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading below the title.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Points, one below the other.
    List(Vec<String>),
    /// A table; each row has as many cells as its head.
    Table {
        /// Names of the columns.
        head: Vec<String>,
        /// Rows.
        rows: Vec<Vec<String>>,
    },
}

impl Paper {
    /// As a page of its own.
    #[must_use]
    pub fn to_html(&self) -> String {
        in_one_page(std::slice::from_ref(self))
    }

    /// As Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n", marked(&self.title));
        for block in &self.blocks {
            text.push('\n');
            match block {
                Block::Heading(heading) => _ = writeln!(text, "## {}", marked(heading)),
                Block::Text(words) => _ = writeln!(text, "{}", marked(words)),
                Block::List(points) => points.iter().for_each(|point| _ = writeln!(text, "- {}", marked(point))),
                Block::Table { head, rows } => {
                    let row = |cells: &[String]| {
                        let cells: Vec<String> = cells.iter().map(|cell| marked(cell)).collect();
                        format!("| {} |\n", cells.join(" | "))
                    };
                    text += &row(head);
                    text += &format!("|{}\n", "---|".repeat(head.len()));
                    rows.iter().for_each(|cells| text += &row(cells));
                }
            }
        }
        text
    }

    fn body(&self) -> String {
        let mut body = format!("<article lang=\"{}\">\n<h1>{}</h1>\n", self.language.code(), escaped(&self.title));
        for block in &self.blocks {
            match block {
                Block::Heading(heading) => _ = writeln!(body, "<h2>{}</h2>", escaped(heading)),
                Block::Text(words) => _ = writeln!(body, "<p>{}</p>", escaped(words)),
                Block::List(points) => {
                    let points: String = points.iter().map(|point| format!("<li>{}</li>", escaped(point))).collect();
                    _ = writeln!(body, "<ul>{points}</ul>");
                }
                Block::Table { head, rows } => {
                    let row = |cells: &[String], tag: &str| {
                        let cells: String =
                            cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
                        format!("<tr>{cells}</tr>")
                    };
                    let rows: String = rows.iter().map(|cells| row(cells, "td")).collect();
                    _ = writeln!(body, "<table><thead>{}</thead><tbody>{rows}</tbody></table>", row(head, "th"));
                }
            }
        }
        body + "</article>\n"
    }
}

/// Several papers, one below the other, as one page.
#[must_use]
pub fn in_one_page(papers: &[Paper]) -> String {
    let (language, title) = papers.first().map_or(("en", ""), |paper| (paper.language.code(), paper.title.as_str()));
    let body: String = papers.iter().map(Paper::body).collect();
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escaped(title)
    )
}

/// A text that stays one within HTML, also within a quoted attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A text that stays one within Markdown, on one line: every mark that could begin or end something is escaped.
fn marked(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' => safe.extend(['\\', letter]),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;color:#1b1b1b;background:#fff;margin:0 auto;max-width:60em;padding:1em}\n\
article+article{margin-top:3em;border-top:2px solid #888}\nh1{font-size:1.5em}\nh2{font-size:1.15em;margin-top:1.8em}\n\
table{border-collapse:collapse;width:100%}\nth,td{border:1px solid #888;padding:.4em .6em;text-align:left;vertical-align:top;overflow-wrap:anywhere}\nth{background:#eef1f4}\n";
