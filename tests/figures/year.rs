//! A year of twenty zones and a floor: exported within seconds, and its totals as DuckDB reads them are those that were there.
//!
//! DuckDB comes with `make acceptance` (`scripts/setup --acceptance`) and is no part of the product.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use kehai::publish::period::Calendar;

use crate::support::folder::{Folder, in_repository};
use crate::support::program::kehai;
use crate::support::simulated::{Shop, Truth, shop};

/// Writes the windows of a period to a file, a line each.
fn written(shop: &mut Shop, folder: &Folder, [from_s, to_s]: [i64; 2]) -> String {
    let path = folder.path("windows.txt");
    let mut file = BufWriter::new(std::fs::File::create(&path).expect("a file"));
    for message in shop.windows(from_s, to_s) {
        write!(file, "{} ", message.topic).and_then(|()| file.write_all(&message.body)).expect("room on the disk");
        file.write_all(b"\n").expect("room on the disk");
    }
    file.into_inner().expect("room on the disk").sync_all().expect("room on the disk");
    path
}

/// Asks DuckDB about a table; gives what it prints.
fn duckdb(query: &str) -> String {
    let program = "import duckdb, sys\nfor row in duckdb.sql(sys.argv[1]).fetchall():\n    print(*row, sep='\\t')";
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", in_repository("fetched/duckdb")).args(["-c", program, query]);
    let output = command.output().expect("python3 is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What DuckDB adds up must be the naive sum.
fn must_be(table: &str, truth: &Truth) {
    let query = format!(
        "SELECT kind, id, figure, CAST(sum(value) AS BIGINT) FROM '{table}' WHERE value IS NOT NULL GROUP BY ALL \
         UNION ALL SELECT kind, id, figure || ' of cell 101', CAST(sum(value) AS BIGINT) FROM '{table}' WHERE cell = 101 GROUP BY ALL \
         UNION ALL SELECT kind, id, 'windows', CAST(sum(windows) AS BIGINT) FROM '{table}' \
           WHERE cell IS NULL AND figure IN ('in', 'visits', 'joined', 'cells_told', 'dropped') GROUP BY ALL \
         UNION ALL SELECT kind, id, 'cov_ms', CAST(sum(cov_ms) AS BIGINT) FROM '{table}' \
           WHERE cell IS NULL AND figure IN ('in', 'visits', 'joined', 'cells_told', 'dropped') GROUP BY ALL"
    );
    let said = duckdb(&query);
    for ((kind, id, figure), value) in truth.iter().filter(|((_, _, figure), _)| figure != "withheld") {
        let mut line = String::new();
        write!(line, "{kind}\t{id}\t{figure}\t{value}").expect("memory");
        assert!(said.lines().any(|one| one == line), "{line} is not what DuckDB reads");
    }
}

fn export(arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    let ended = kehai(&[&["export", "--format", "parquet"], arguments].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    begun.elapsed()
}

#[test]
#[ignore = "needs DuckDB and half a gigabyte (make acceptance)"]
fn a_year_is_exported_within_seconds_and_duckdb_finds_the_same_totals() {
    let folder = Folder::new();
    let calendar = Calendar::of("Asia/Kathmandu").expect("a zone");
    let year = calendar.period("2026-01-01", "2027-01-01", None).expect("a year");
    let mut shop = shop("Asia/Kathmandu", 20, 2026);
    let lines = written(&mut shop, &folder, [year.from_s(), year.to_s()]);
    let site = folder.write("site.toml", &shop.site);
    for by in ["total", "day", "hour"] {
        let table = folder.path(&format!("{by}.parquet"));
        let took = export(&[
            "--from",
            "2026-01-01",
            "--to",
            "2027-01-01",
            "--by",
            by,
            "--site",
            &site,
            "--windows",
            &lines,
            "--out",
            &table,
        ]);
        must_be(&table, &shop.truth);
        assert!(cfg!(debug_assertions) || by == "hour" || took <= YEAR_MAX, "by {by} it took {took:?}");
    }
}

#[test]
#[ignore = "needs DuckDB (make acceptance)"]
fn duckdb_cuts_the_days_of_every_calendar_where_we_cut_them() {
    for (zone, from, to) in [
        ("Europe/London", "2026-03-28", "2026-03-31"),
        ("Europe/London", "2026-10-24", "2026-10-27"),
        ("Asia/Kathmandu", "2026-10-24", "2026-10-27"),
        ("Australia/Lord_Howe", "2026-10-03", "2026-10-06"),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-07"),
    ] {
        let folder = Folder::new();
        let calendar = Calendar::of(zone).expect("a zone");
        let period = calendar.period(from, to, None).expect("some days");
        let mut shop = shop(zone, 1, 3);
        let lines = written(&mut shop, &folder, [period.from_s(), period.to_s()]);
        let (days, windows) = (folder.path("day.parquet"), folder.path("window.parquet"));
        for (by, table) in [("day", &days), ("window", &windows)] {
            export(&["--from", from, "--to", to, "--by", by, "--zone", zone, "--windows", &lines, "--out", table]);
            must_be(table, &shop.truth);
        }
        // Days as DuckDB's own calendar cuts the single windows.
        let of_days =
            duckdb(&format!("SELECT day, sum(value) FROM '{days}' WHERE figure = 'entries' GROUP BY ALL ORDER BY ALL"));
        let of_windows = duckdb(&format!(
            "SELECT day, sum(value) FROM '{windows}' WHERE figure = 'entries' GROUP BY ALL ORDER BY ALL"
        ));
        let of_local = duckdb(&format!(
            "SELECT CAST(start_local AS DATE), sum(value) FROM '{windows}' WHERE figure = 'entries' GROUP BY ALL ORDER BY ALL"
        ));
        assert_eq!((&of_days, of_days.lines().count()), (&of_windows, 3), "{zone}");
        assert_eq!(of_days, of_local, "{zone}");
    }
}

/// Longest export of a year.
const YEAR_MAX: Duration = Duration::from_secs(10);
