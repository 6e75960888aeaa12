//! Text of strangers: XML read within bounds, words made harmless before a person sees them.
//!
//! In: bytes a device sent. Out: elements by their local name. Invariants: a document type, and with it every entity,
//! is refused; the number of elements is bounded, and the reader goes down without recursion; no text is shown with control characters.

use roxmltree::{Document, Node, ParsingOptions};

/// Reads a document and hands it to `find`; `None` when it is none within bounds.
pub fn read<T>(bytes: &[u8], find: impl FnOnce(&Document<'_>) -> Option<T>) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}');
    let bounds = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, bounds).ok()?;
    find(&document)
}

/// The elements of this name below `node`, whatever their namespace.
pub fn all<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |inner| inner.is_element() && inner.tag_name().name() == name)
}

/// The first element along a path of names below `node`.
pub fn first<'a, 'i>(node: Node<'a, 'i>, path: &[&'static str]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, name| all(node, name).find(|found| *found != node))
}

/// The text along a path of names; `None` when there is none.
pub fn text<'a>(node: Node<'a, '_>, path: &[&'static str]) -> Option<&'a str> {
    first(node, path)?.text().map(str::trim).filter(|text| !text.is_empty())
}

/// A number along a path of names.
pub fn number<N: std::str::FromStr>(node: Node<'_, '_>, path: &[&'static str]) -> Option<N> {
    text(node, path)?.parse().ok()
}

/// Text of a stranger as it may be shown: without control characters and characters that turn the writing round, and
/// of bounded length.
#[must_use]
pub fn plain(text: &str) -> String {
    let is_quiet = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.trim().chars().filter(is_quiet).take(SHOWN_CHARS_MAX).collect()
}

/// Text as it may stand in an element or attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;")
}

/// Elements, attributes and texts of the longest answer that is believed.
const NODES_MAX: u32 = 20_000;
/// Longest name of a device or profile that is shown.
const SHOWN_CHARS_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name_in(text: &str) -> Option<String> {
        read(text.as_bytes(), |document| super::text(document.root(), &["Name"]).map(str::to_owned))
    }

    #[test]
    fn entities_are_refused_and_elements_are_counted() {
        assert_eq!(name_in("<a xmlns:t='u'><t:Name> Hall </t:Name></a>"), Some("Hall".to_owned()));
        assert_eq!(name_in("<!DOCTYPE a [<!ENTITY x 'Hall'>]><a><Name>&x;</Name></a>"), None);
        let deep = |levels: usize| format!("{}<Name>x</Name>{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(name_in(&deep(15_000)).is_some(), "depth asks nothing of the stack");
        assert_eq!(name_in(&deep(50_000)), None);
        assert_eq!(name_in(&format!("<a><Name>x</Name>{}</a>", "<b/>".repeat(30_000))), None);
    }

    #[test]
    fn what_is_shown_moves_no_cursor() {
        assert_eq!(plain(" \u{1b}[2JHall\u{202e}\r\n7 "), "[2JHall7");
        assert_eq!(plain(&"x".repeat(500)).len(), SHOWN_CHARS_MAX);
    }

    proptest! {
        #[test]
        fn garbage_is_no_document_and_no_panic(garbage in prop::collection::vec(any::<u8>(), 0..400), tags in "(<a>|</a>|<Name>|&lt;|<!--|\\]\\]>|x|<a b='|/>){0,60}") {
            let _ = read(&garbage, |_| Some(()));
            let _ = name_in(&tags);
        }

        #[test]
        fn what_is_escaped_is_read_back(text in "[ -~]{1,40}") {
            let read = name_in(&format!("<a><Name>{}</Name></a>", escape(&text)));
            prop_assert_eq!(read.unwrap_or_default(), text.trim());
        }
    }
}
