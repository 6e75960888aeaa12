//! What the documents say is what happens: their code blocks are run as they stand, their tables are those of the program.

use std::process::{Command, Stdio};

use kehai::publish::period::{DEFINITIONS, Definition, Why, definitions};
use kehai::wire::read::{Kind, WindowView};
use serde_json::Value;

use crate::support::broker::{Broker, free_port};
use crate::support::folder::{Folder, in_repository, read};
use crate::support::recording::played;

/// The pages that tell a stranger how to read a heatmap, one a language.
const PAGES: [&str; 2] = ["docs/read-a-heatmap.md", "docs/read-a-heatmap.ja.md"];

fn page(name: &str) -> String {
    String::from_utf8(read(&in_repository(name))).expect("a page is UTF-8")
}

/// The code blocks of a language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A window of the sample of this kind and id.
fn window(kind: &str, id: &str) -> String {
    let is_it = |line: &String| {
        let window: Value = serde_json::from_str(line).expect("a payload is JSON");
        window["k"] == kind && window["id"] == id
    };
    played().lines().into_iter().find(is_it).unwrap_or_else(|| panic!("the sample has {kind}/{id}"))
}

/// What a page's commands print of a window that a broker keeps.
fn printed(broker: u16, folder: &Folder, commands: &str) -> Vec<Vec<f64>> {
    let mut shell = Command::new("sh");
    shell.args(["-ec", commands]).current_dir(folder.path("")).env("PORT", broker.to_string());
    let output = shell.stdin(Stdio::null()).output().expect("there is a shell");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "{commands}\n{err}");
    let numbers = |line: &str| line.split(' ').map(|word| word.parse().expect("a number")).collect();
    out.lines().map(numbers).collect()
}

fn keep(broker: u16, kind: &str, body: &str) {
    let id = kind.replace("heat", "crossing-visits").replace("flow", "crossing");
    let topic = format!("kehai/v1/demo/pets09/edge-1/win/{kind}/{id}");
    let mut publish = Command::new("mosquitto_pub");
    publish.args(["-h", "127.0.0.1", "-p", &broker.to_string(), "-r", "-q", "1", "-t", &topic, "-m", body]);
    assert!(publish.status().expect("mosquitto-clients is installed (make setup)").success());
}

#[test]
fn a_stranger_reads_a_real_heatmap_and_a_real_flow_with_the_lines_of_the_page() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let _broker = Broker::start(port, &folder);
    let (heat, flow) = (window("heat", "crossing-visits"), window("flow", "crossing"));
    keep(port, "heat", &heat);
    keep(port, "flow", &flow);
    let flow: Value = serde_json::from_str(&flow).expect("a payload is JSON");
    for name in PAGES {
        let page = page(name);
        let (programs, commands) = (blocks(&page, "python"), blocks(&page, "sh"));
        folder.write("heat.py", &programs[0]);
        folder.write("flow.py", &programs[1]);
        assert_eq!(printed(port, &folder, &commands[0]), cells(&heat), "{name}");
        let ways = printed(port, &folder, &commands[1]);
        assert_eq!(flow["d"]["cells"], ways.len(), "{name}");
        assert_eq!(flow["d"]["n"].as_f64(), Some(ways.iter().map(|way| way[1]).sum()), "{name}");
        assert!(ways.iter().all(|way| way[2].abs() <= 180.0 && (0.0..=1.0).contains(&way[3])), "{ways:?}");
    }
}

/// The released cells of a heatmap as our own reader sees them: x and y of the lower left corner, m, and the number.
fn cells(heat: &str) -> Vec<Vec<f64>> {
    let origin = serde_json::from_str::<Value>(heat).expect("a payload is JSON")["d"]["origin_mm"].clone();
    let heat = WindowView::read(heat.as_bytes()).and_then(|window| window.heat).expect("a heatmap");
    let place = |at: usize, from: &Value| (from.as_f64().expect("mm") + (at as u64 * heat.cell_mm) as f64) / 1000.0;
    let cell = |(index, cell): (usize, &Option<u32>)| {
        let [column, row] = [index % heat.columns, index / heat.columns];
        cell.map(|value| vec![place(column, &origin[0]), place(row, &origin[1]), f64::from(value)])
    };
    let cells: Vec<Vec<f64>> = heat.cells.iter().enumerate().filter_map(cell).collect();
    assert!(cells.len() >= 10, "{} cells", cells.len());
    cells
}

#[test]
fn a_heatmap_takes_a_stranger_about_ten_lines_and_no_package() {
    let standard = ["base64", "json", "math", "sys", "zlib"];
    for name in PAGES {
        let page = page(name);
        let programs = blocks(&page, "python");
        assert!(programs[0].lines().count() <= 12, "{name}");
        let imports =
            programs.iter().flat_map(|program| program.lines()).filter_map(|line| line.strip_prefix("import "));
        assert!(imports.flat_map(|names| names.split(", ")).all(|name| standard.contains(&name)), "{name}");
        assert_eq!(programs, blocks(&self::page(PAGES[0]), "python"), "both languages run the same lines");
    }
}

#[test]
fn every_member_of_a_heatmap_is_explained() {
    let heat: Value = serde_json::from_str(&window("heat", "crossing-visits")).expect("a payload is JSON");
    let members = heat["d"].as_object().expect("figures").keys();
    for name in PAGES {
        let page = page(name);
        let missing: Vec<&String> = members
            .clone()
            .filter(|member| !["plan", "frame", "data"].contains(&member.as_str()))
            .filter(|member| !page.contains(&format!("d.{member}`")))
            .collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

/// The table of a kind as the page of figures has it.
fn table_of(kind: Kind) -> String {
    let row = |of: &Definition| {
        let adds = if of.adds { "adds" } else { "" };
        format!("| `{}` | {} | {} | {} | {} | {adds} |\n", of.name, of.label, of.label_ja, of.unit, of.formula)
    };
    let rows: String = definitions(kind).map(row).collect();
    format!("## {}\n\n| name | English | 日本語 | unit | formula | |\n|---|---|---|---|---|---|\n{rows}", kind.name())
}

#[test]
fn the_page_of_figures_holds_the_table_of_the_program() {
    let page = page("docs/figures.md");
    let tables: Vec<String> = Kind::ALL.into_iter().map(table_of).collect();
    let missing: String =
        tables.iter().filter(|table| !page.contains(*table)).map(|table| format!("{table}\n")).collect();
    assert!(missing.is_empty(), "docs/figures.md has to hold:\n\n{missing}");
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, DEFINITIONS.len(), "and no row more");
    for why in [Why::NoRecord, Why::Blind, Why::Withheld, Why::NotMeasured, Why::NobodyCame] {
        assert!(page.contains(&format!("| {} |", why.words())), "{}", why.words());
    }
}
