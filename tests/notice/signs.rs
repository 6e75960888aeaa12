//! A sign is one page, in letters that can be read, nothing over anything; its code leads to the policy.

use kehai::config::declared::Language;
use kehai::config::site::Site;
use kehai::notice::layout::{Area, Sheet};
use kehai::notice::render;
use kehai::notice::sign::{Form, PALETTE, SIZE_MIN, Sign};
use kehai::notice::{NoticeError, sign::Row};

use super::shop::{BOTH, green, notice, running, site, with};
use crate::support::folder::Folder;

fn sign_of(site: &Site, language: Language) -> Sign {
    let (running, test) = (running(site), green(site));
    Sign::of(&notice(site, &running, Some(&test)), language).expect("a sign")
}

fn sheet_of(site: &Site, language: Language, form: Form) -> Sheet {
    sign_of(site, language).sheet(form).expect("it has room")
}

/// Texts of 300 characters: letters without a blank, words, Japanese.
fn long(kind: usize) -> String {
    let piece = ["Wm", "wide words, ", "混雑を減らし、安全に歩ける通路をつくるため。"][kind];
    piece.repeat(300).chars().take(300).collect::<String>().trim().to_owned()
}

/// A shop with three controllers whose names are 300 characters long, and other texts as long.
fn wordy(kind: usize) -> Site {
    let text = long(kind);
    let name = "name = \"Crossing Campus Ltd. (fictitious)\"";
    let rest = "address = \"1 Crossing Way\", contact = \"privacy@crossing.example\"";
    let three = format!("{{ name = \"{text}\", {rest} }},\n  {{ name = \"{text}\", {rest} }},\n  {{ name = \"{text}\"");
    let objection = "objection = { ja = \"南側の歩道にはカメラがありません。そちらをお通りください。窓口でお申し出いただくこともできます。\"";
    with(&[
        (&format!("{{ {name}"), &three),
        ("name = \"PETS 2009 crossing\"", &format!("name = \"{text}\"")),
        (objection, &format!("objection = {{ ja = \"{text}\"")),
        ("案内板を見やすい場所に置くため", &text),
        ("案内板を見やすい場所に置くため", &text),
        ("To put signposts where people look for them", &text),
        ("To put signposts where people look for them", &text),
    ])
}

fn check(sheet: &Sheet, form: Form) {
    let page = Area { x: 0.0, y: 0.0, width: sheet.width, height: sheet.height };
    let things: Vec<(String, Area)> = sheet.lines.iter().map(|line| (line.text.clone(), line.area)).collect();
    let pictures = sheet.pictures.iter().map(|area| ("a picture".to_owned(), *area));
    let things: Vec<(String, Area)> = things.into_iter().chain(pictures).collect();
    for (at, (name, area)) in things.iter().enumerate() {
        assert!(page.holds(area), "{form:?}: {name} leaves the page: {area:?}");
        for (other, place) in &things[at + 1..] {
            assert!(!area.overlaps(place), "{form:?}: “{name}” {area:?} and “{other}” {place:?}");
        }
    }
    let smallest = sheet.lines.iter().map(|line| line.style.size).fold(f64::MAX, f64::min) / form.scale();
    assert!(smallest >= SIZE_MIN - 1e-9, "{form:?}: letters of {smallest} points");
    for line in &sheet.lines {
        let contrast = contrast(line.style.colour, line.ground);
        assert!(contrast >= 7.0, "{form:?}: “{}” has a contrast of {contrast:.1}", line.text);
        assert!(PALETTE.contains(&(line.style.colour, line.ground)), "{} on {}", line.style.colour, line.ground);
    }
}

/// Contrast as WCAG 2.2 defines it; 7 is its highest demand.
fn contrast(one: &str, other: &str) -> f64 {
    let light = |colour: &str| {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("hex")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) + 0.05
    };
    let (one, other) = (light(one), light(other));
    one.max(other) / one.min(other)
}

fn code_in(picture: &image::GrayImage) -> String {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| picture.get_pixel(x as u32, y as u32).0[0]);
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1, "one code on the sign");
    grids[0].decode().expect("it can be read").1
}

#[test]
fn nothing_on_a_sign_overlaps_or_leaves_the_page_and_its_letters_can_be_read() {
    for form in Form::ALL {
        for language in BOTH {
            check(&sheet_of(&site(), language, form), form);
        }
    }
}

#[test]
fn the_longest_texts_of_three_controllers_have_room_or_the_text_to_shorten_is_named() {
    for kind in 0..3 {
        let site = wordy(kind);
        for (form, language) in Form::ALL.into_iter().flat_map(|form| BOTH.map(|language| (form, language))) {
            match sign_of(&site, language).sheet(form) {
                Ok(sheet) => check(&sheet, form),
                Err(NoticeError::TooLong { form: at, key, chars }) => {
                    assert_eq!(at, form.name());
                    assert!(chars > 250 && !key.is_empty(), "{key} has {chars}");
                    assert!(kind != 1 || form == Form::Landscape, "words of 300 characters have room on paper");
                }
                Err(other) => panic!("{form:?} {language:?}: {other}"),
            }
        }
    }
}

#[test]
fn no_declared_text_is_cut_short_on_any_sign() {
    let bare = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    for form in Form::ALL {
        for language in BOTH {
            let sign = sign_of(&site(), language);
            let all: String = sign.sheet(form).expect("room").lines.iter().map(|line| bare(&line.text)).collect();
            let rows = sign.rows.iter().flat_map(|row: &Row| row.texts.iter().map(|(_, text)| text));
            for text in rows.chain(&sign.desk).chain([&sign.shop, &sign.policy_url, &sign.footer]) {
                assert!(all.contains(&bare(text)), "{form:?}: “{text}” is not on it");
            }
        }
    }
}

#[test]
fn a_printed_sign_is_one_page_of_its_size_with_real_text_in_embedded_letters() {
    for (form, size_mm) in [(Form::A4, [210.0, 297.0]), (Form::A3, [297.0, 420.0])] {
        for language in BOTH {
            let sheet = sheet_of(&site(), language, form);
            let bytes = render::pdf(&sheet, "a sign").expect("a PDF");
            let document = lopdf::Document::load_mem(&bytes).expect("it opens");
            let pages = document.get_pages();
            assert_eq!(pages.len(), 1);
            let page = document.get_dictionary(pages[&1]).expect("a page");
            let sides: Vec<f32> = page
                .get(b"MediaBox")
                .and_then(lopdf::Object::as_array)
                .expect("a box")
                .iter()
                .map(|side| side.as_float().expect("a number"))
                .collect();
            for (side, mm) in sides[2..].iter().zip(size_mm) {
                assert!((f64::from(*side) - mm * 72.0 / 25.4).abs() < 0.1, "{sides:?} points");
            }
            assert_letters_are_embedded(&document);
            let bare = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            let text = bare(&document.extract_text(&[1]).expect("text"));
            for line in &sheet.lines {
                assert!(text.contains(&bare(&line.text)), "{form:?}: “{}” is not text: {text}", line.text);
            }
        }
    }
}

fn assert_letters_are_embedded(document: &lopdf::Document) {
    let dictionaries = document.objects.values().filter_map(|object| object.as_dict().ok());
    let is_of = |dictionary: &lopdf::Dictionary, name: &[u8]| {
        dictionary.get(b"Type").and_then(lopdf::Object::as_name).is_ok_and(|of| of == name)
    };
    let described: Vec<_> = dictionaries.filter(|dictionary| is_of(dictionary, b"FontDescriptor")).collect();
    assert_eq!(described.len(), 2, "medium and bold");
    for font in described {
        assert!(font.has(b"FontFile2") || font.has(b"FontFile3"), "{font:?} is embedded");
    }
}

#[test]
fn the_code_on_a_screen_leads_to_the_policy_with_short_and_with_long_addresses() {
    let long = format!("https://shop.example/{}", "policy/".repeat(25));
    let far = with(&[("https://crossing.example/kehai", &long)]);
    for site in [site(), far] {
        for form in [Form::Portrait, Form::Landscape] {
            let sign = sign_of(&site, Language::Ja);
            let png = render::png(&sign.sheet(form).expect("room"), "a sign", 1.0).expect("a PNG");
            let picture = image::load_from_memory(&png).expect("it opens").to_luma8();
            assert_eq!((f64::from(picture.width()), f64::from(picture.height())), form.size());
            assert_eq!(code_in(&picture), sign.code.address);
            assert!(sign.code.address.starts_with(site.declared.policy_url.as_deref().expect("declared")));
        }
    }
}

#[test]
#[ignore = "needs pdftoppm (poppler-utils)"]
fn the_code_on_paper_leads_to_the_policy() {
    let folder = Folder::new();
    for form in [Form::A4, Form::A3] {
        let sign = sign_of(&site(), Language::Ja);
        let pdf = folder.write("sign.pdf", render::pdf(&sign.sheet(form).expect("room"), "a sign").expect("a PDF"));
        let ended = std::process::Command::new("pdftoppm")
            .args(["-r", "100", "-gray", "-png", "-singlefile", &pdf, &folder.path("sign")])
            .status()
            .expect("pdftoppm is there");
        assert!(ended.success());
        let picture = image::open(folder.path("sign.png")).expect("a picture").to_luma8();
        assert_eq!(code_in(&picture), sign.code.address);
    }
}

#[test]
fn the_letters_are_those_of_the_package_they_are_said_to_be_from() {
    use sha2::{Digest, Sha256};
    let folder = crate::support::folder::in_repository("vendor/fonts");
    let source = std::fs::read_to_string(format!("{folder}/SOURCE.txt")).expect("it says where they are from");
    let pinned: Vec<(&str, &str)> =
        source.lines().filter_map(|line| line.strip_prefix("sha256 ")?.split_once("  ")).collect();
    assert_eq!(pinned.len(), 2);
    for (hash, name) in pinned {
        let bytes = std::fs::read(format!("{folder}/{name}")).expect("a font");
        assert_eq!(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>(), hash, "{name}");
    }
}

#[test]
fn a_letter_that_cannot_be_printed_is_named_and_not_left_out() {
    let site = with(&[("Crossing Campus Ltd. (fictitious)", "Crossing \u{1f600}")]);
    let running = running(&site);
    let refused = Sign::of(&notice(&site, &running, None), Language::En).err();
    assert_eq!(refused, Some(NoticeError::NoLetter { key: "notice.controllers.name".into(), letter: '\u{1f600}' }));
}

#[test]
#[ignore = "writes pictures to look at"]
fn signs_to_look_at() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("signs");
    std::fs::create_dir_all(&folder).expect("a folder");
    let sites =
        [("plain", site(), true), ("bare", site(), false), ("wordy", wordy(1), true), ("japanese", wordy(2), true)];
    for (name, site, is_proved) in &sites {
        for (form, language) in Form::ALL.into_iter().flat_map(|form| BOTH.map(|language| (form, language))) {
            let (running, test) = (running(site), green(site));
            let notice = notice(site, &running, is_proved.then_some(&test));
            let Ok(sheet) = Sign::of(&notice, language).expect("a sign").sheet(form) else { continue };
            let pixels = if sheet.width < 1000.0 { 1.6 } else { 1.0 };
            let png = render::png(&sheet, name, pixels).expect("a PNG");
            let file = folder.join(format!("{name}-{}-{}.png", form.name(), language.code()));
            std::fs::write(file, png).expect("written");
        }
    }
}
