//! The dashboard that is shipped: its queries name what an export has, and run.
//!
//! In: deploy/grafana, an export of a simulated week.

use std::collections::BTreeSet;
use std::process::Command;

use kehai::publish::period::DEFINITIONS;
use kehai::wire::read::Kind;
use serde_json::Value;

use crate::support::folder::{Folder, in_repository, read};
use crate::support::program::kehai;
use crate::support::simulated::shop;

/// Words of SQL the queries may use besides columns.
const SQL: &str = "select from where and or in is not null as sum max min count distinct filter group by order desc asc nulls last \
                   nullif date_trunc extract hour over like length on create table if exists index";
/// What Grafana puts in.
const MACROS: [(&str, &str); 2] =
    [("$__timeFilter(start_utc)", "start_utc IS NOT NULL"), ("${store:sqlstring}", "'s0042'")];

fn dashboard() -> Value {
    serde_json::from_slice(&read(&in_repository("deploy/grafana/dashboard.json"))).expect("the dashboard is JSON")
}

/// Title and query of every panel, as a database gets it.
fn queries() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
    let query = |panel: &Value| {
        let sql = panel["targets"][0]["rawSql"].as_str().expect("a query").to_owned();
        let sql = MACROS.iter().fold(sql, |sql, (name, value)| sql.replace(name, value));
        (panel["title"].as_str().expect("a title").to_owned(), sql)
    };
    panels.iter().map(query).collect()
}

/// A week of a simulated shop, exported by hour: the folder and the file in it.
fn export(folder: &Folder, format: &str) -> String {
    let windows = folder.write("windows.txt", shop("Asia/Tokyo", 3, 11).lines(BEGIN_S, BEGIN_S + 7 * 86_400));
    let out = folder.path(&format!("export.{format}"));
    let arguments = [
        "export",
        "--windows",
        &windows,
        "--zone",
        "Asia/Tokyo",
        "--by",
        "hour",
        "--from",
        "2026-11-02",
        "--to",
        "2026-11-09",
    ];
    kehai(&[&arguments[..], &["--format", format, "--out", &out]].concat()).must_be_well();
    out
}

/// Columns of an export.
fn columns(csv: &str) -> Vec<String> {
    let text = String::from_utf8(read(csv)).expect("UTF-8");
    text.lines().next().expect("heads").split(',').map(str::to_owned).collect()
}

/// Words of a query, and texts in it.
fn words(sql: &str) -> (Vec<String>, Vec<String>) {
    let parts: Vec<&str> = sql.split('\'').collect();
    let bare: String = parts.iter().step_by(2).copied().collect::<Vec<_>>().join(" ");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = bare.split(|c| !is_word(c)).filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    (words.map(str::to_owned).collect(), parts.iter().skip(1).step_by(2).map(|text| (*text).to_owned()).collect())
}

#[test]
fn every_query_of_the_dashboard_names_only_columns_and_figures_that_an_export_has() {
    let folder = Folder::new();
    let columns: BTreeSet<String> = columns(&export(&folder, "csv")).into_iter().collect();
    let mut texts: BTreeSet<&str> = DEFINITIONS.iter().map(|definition| definition.name).collect();
    texts.extend(Kind::ALL.map(Kind::name));
    texts.extend(["visits", "s0042", "day", "stays_%", "waits_%"]);
    assert!(queries().len() >= 12);
    for (title, sql) in queries() {
        let (words, said) = words(&sql);
        let aliases: BTreeSet<&String> = words.windows(2).filter(|pair| pair[0] == "AS").map(|pair| &pair[1]).collect();
        let is_known = |word: &&String| {
            let word = word.as_str();
            columns.contains(word)
                || word == "kehai"
                || aliases.iter().any(|alias| *alias == word)
                || SQL.split_whitespace().any(|known| known.eq_ignore_ascii_case(word))
        };
        let strange: Vec<&String> = words.iter().filter(|word| !is_known(word)).collect();
        assert!(strange.is_empty(), "{title}: {strange:?} in {sql}");
        let strange: Vec<&String> = said.iter().filter(|text| !texts.contains(text.as_str())).collect();
        assert!(strange.is_empty(), "{title}: {strange:?} in {sql}");
    }
}

#[test]
fn the_table_that_is_loaded_has_the_columns_of_an_export_in_their_order() {
    let folder = Folder::new();
    let sql = String::from_utf8(read(&in_repository("deploy/grafana/table.sql"))).expect("UTF-8");
    let rows = sql.split("(\n").nth(1).and_then(|rest| rest.split("\n)").next()).expect("a table");
    let named: Vec<&str> = rows.lines().filter_map(|row| row.split_whitespace().next()).collect();
    assert_eq!(named, columns(&export(&folder, "csv")));
}

/// Asks DuckDB, with the exports in place of the table; gives what it finds, a row a line.
fn duckdb(table: &str, query: &str) -> String {
    let program = "import duckdb, sys\nduckdb.sql(f\"CREATE VIEW kehai AS SELECT * FROM '{sys.argv[1]}'\")\n\
                   for row in duckdb.sql(f'SELECT COLUMNS(*)::VARCHAR FROM ({sys.argv[2]})').fetchall():\n    print(*row, sep='\\t')";
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", in_repository("fetched/duckdb")).args(["-c", program, table, query]);
    let output = command.output().expect("python3 is installed");
    assert!(output.status.success(), "{query}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
#[ignore = "asks DuckDB (make acceptance)"]
fn every_query_of_the_dashboard_runs_over_an_export_and_finds_what_was_put_in() {
    let folder = Folder::new();
    let mut simulated = shop("Asia/Tokyo", 3, 11);
    drop(simulated.lines(BEGIN_S, BEGIN_S + 7 * 86_400));
    let table = export(&folder, "parquet");
    let found: Vec<(String, String)> =
        queries().into_iter().map(|(title, sql)| (title, duckdb(&table, &sql))).collect();
    assert!(found.iter().all(|(_, rows)| !rows.is_empty()), "{found:#?}");
    let rows_of = |title: &str| &found.iter().find(|(of, _)| of == title).unwrap_or_else(|| panic!("no {title}")).1;
    let days: f64 = rows_of("Footfall by day")
        .lines()
        .map(|row| row.rsplit('\t').next().and_then(|sum| sum.parse::<f64>().ok()).expect("a sum"))
        .sum();
    let doors = simulated.truth.iter().filter(|((kind, _, figure), _)| *kind == "line" && figure == "in");
    assert_eq!(days as i64, doors.map(|(_, sum)| sum).sum::<i64>());
    assert_eq!(rows_of("Footfall by hour of the day").lines().count(), 24);
    assert_eq!(rows_of("In and out by door").lines().count(), 2);
    assert!(rows_of("Floor: visits by cell").lines().count() > 300, "a floor of 24 by 16 cells");
}

/// 2026-11-01T15:00:00Z: midnight in Tokyo.
const BEGIN_S: i64 = 1_793_545_200;
