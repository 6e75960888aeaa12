//! Where rows go: CSV, Parquet.
//!
//! In: [`Row`]s. Out: a file that is there whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::super::{Failure, USAGE};
use super::table::{COLUMNS, COLUMNS_COMPARED, Field, Row};

/// A file beside its place, moved there when it is whole, removed when it is not.
pub struct Whole {
    place: PathBuf,
    partial: PathBuf,
    is_done: bool,
}

impl Whole {
    /// Begins a file.
    ///
    /// # Errors
    /// Exit 2, when it cannot be written.
    pub fn begin(place: &Path) -> Result<(Self, File), Failure> {
        let partial = place.with_added_extension("partial");
        let whole = Self { place: place.to_owned(), partial, is_done: false };
        let file = File::create(&whole.partial).map_err(|error| whole.refused(&error))?;
        Ok((whole, file))
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// Exit 2, when that fails.
    pub fn end(mut self, file: &File) -> Result<(), Failure> {
        let moved = file.sync_all().and_then(|()| std::fs::rename(&self.partial, &self.place));
        moved.map_err(|error| self.refused(&error))?;
        self.is_done = true;
        Ok(())
    }

    fn refused(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::new(USAGE, format!("--out {}: {error}; name a file that can be written", self.place.display()))
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if !self.is_done {
            // Nothing half done stays behind; what was never made need not go.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

/// Takes rows.
pub trait Sink {
    /// Takes one.
    ///
    /// # Errors
    /// Exit 2, when the file cannot be written.
    fn row(&mut self, row: &Row) -> Result<(), Failure>;

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Exit 2, when that fails.
    fn end(self: Box<Self>) -> Result<(), Failure>;
}

/// Columns of an export.
fn columns(is_compared: bool) -> impl Iterator<Item = &'static (&'static str, Field<'static>)> {
    COLUMNS.iter().chain(COLUMNS_COMPARED.iter().filter(move |_| is_compared))
}

/// Comma-separated values, RFC 4180, UTF-8.
pub struct CsvSink {
    whole: Whole,
    writer: csv::Writer<BufWriter<File>>,
    text: Vec<u8>,
}

impl CsvSink {
    /// Begins a file with its heads.
    ///
    /// # Errors
    /// Exit 2, when it cannot be written.
    pub fn begin(place: &Path, is_compared: bool) -> Result<Self, Failure> {
        let (whole, file) = Whole::begin(place)?;
        let mut writer = csv::Writer::from_writer(BufWriter::with_capacity(1 << 20, file));
        let heads = writer.write_record(columns(is_compared).map(|(name, _)| name));
        heads.map_err(|error| whole.refused(&error))?;
        Ok(Self { whole, writer, text: Vec::new() })
    }
}

impl Sink for CsvSink {
    fn row(&mut self, row: &Row) -> Result<(), Failure> {
        let compared = row.compared();
        let fields = row.fields();
        let written = fields.iter().chain(compared.iter().flatten()).try_for_each(|field| {
            self.text.clear();
            spell(*field, &mut self.text);
            self.writer.write_field(&self.text)
        });
        let written = written.and_then(|()| self.writer.write_record(None::<&[u8]>));
        written.map_err(|error| self.whole.refused(&error))
    }

    fn end(self: Box<Self>) -> Result<(), Failure> {
        let Self { whole, writer, .. } = *self;
        let file = writer.into_inner().map_err(|error| error.into_error());
        let file = file.and_then(|file| file.into_inner().map_err(|error| error.into_error()));
        let file = file.map_err(|error| whole.refused(&error))?;
        whole.end(&file)
    }
}

/// A field as text. A text that a spreadsheet would take for a formula stands behind an apostrophe.
fn spell(field: Field, text: &mut Vec<u8>) {
    let written = match field {
        Field::Text(value) if value.starts_with(['=', '+', '-', '@', '\t', '\r']) => write!(text, "'{value}"),
        Field::Text(value) => text.write_all(value.as_bytes()),
        Field::Whole(Some(value)) => write!(text, "{value}"),
        Field::Number(Some(value)) => write!(text, "{value}"),
        Field::Whole(None) | Field::Number(None) => Ok(()),
        Field::Day(day) => write!(text, "{day}"),
        Field::Utc(at_s) => write!(text, "{}", moment(at_s)),
        Field::Local(at_s) => write!(text, "{}", jiff::tz::Offset::UTC.to_datetime(moment(at_s))),
    };
    written.expect("writing to memory");
}

fn moment(at_s: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at_s).unwrap_or_default()
}

/// Parquet, compressed with Snappy, texts in dictionaries. One thread makes rows while another packs the row group before.
pub struct ParquetSink {
    whole: Whole,
    columns: Vec<Column>,
    rows: usize,
    /// Full row groups on their way to the packer.
    full: Option<SyncSender<Vec<Column>>>,
    /// Empty ones on their way back.
    empty: Receiver<Vec<Column>>,
    packer: Option<JoinHandle<Result<File, ParquetError>>>,
}

/// What waits of a column for its row group.
enum Column {
    Texts(Vec<ByteArray>),
    Wholes(Vec<i64>, Vec<i16>),
    Numbers(Vec<f64>, Vec<i16>),
    Days(Vec<i32>),
    Moments(Vec<i64>),
}

impl ParquetSink {
    /// Begins a file with its schema.
    ///
    /// # Errors
    /// Exit 2, when it cannot be written.
    pub fn begin(place: &Path, is_compared: bool) -> Result<Self, Failure> {
        let (whole, file) = Whole::begin(place)?;
        let fields: String = columns(is_compared).map(|(name, field)| schema_of(name, field)).collect();
        let schema = parse_message_type(&format!("message kehai {{ {fields} }}")).expect("the schema is well formed");
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties(is_compared)));
        let writer = writer.map_err(|error| whole.refused(&error))?;
        let (full, groups) = sync_channel(1);
        let (emptied, empty) = sync_channel(GROUPS_MAX);
        let group = || columns(is_compared).map(|(_, field)| Column::of(field)).collect();
        for _ in 1..GROUPS_MAX {
            emptied.send(group()).expect("there is room for every group");
        }
        let packer = Builder::new().name("parquet".to_owned());
        let packer = packer.spawn(move || pack(writer, &groups, &emptied)).map_err(|error| whole.refused(&error))?;
        Ok(Self { whole, columns: group(), rows: 0, full: Some(full), empty, packer: Some(packer) })
    }

    /// Hands over what there is and goes on with an empty group; false where the packer has given up.
    fn hand_over(&mut self) -> bool {
        self.rows = 0;
        let Ok(empty) = self.empty.recv() else { return false };
        let columns = std::mem::replace(&mut self.columns, empty);
        self.full.as_ref().is_some_and(|full| full.send(columns).is_ok())
    }

    /// The finished file, or why there is none.
    fn packed(&mut self) -> Result<File, ParquetError> {
        self.full = None;
        let packer = self.packer.take().ok_or(ParquetError::General("the file was given away".to_owned()))?;
        packer.join().expect("the packer does not panic")
    }
}

/// Writes row groups until no more come; gives back the finished file.
fn pack(
    mut writer: SerializedFileWriter<File>,
    groups: &Receiver<Vec<Column>>,
    emptied: &SyncSender<Vec<Column>>,
) -> Result<File, ParquetError> {
    for mut columns in groups {
        let mut group = writer.next_row_group()?;
        let mut waiting = columns.iter_mut();
        while let Some(mut writer) = group.next_column()? {
            waiting.next().expect("as many columns as the schema has").write(writer.untyped())?;
            writer.close()?;
        }
        group.close()?;
        // Whoever made the rows may have ended.
        let _ = emptied.send(columns);
    }
    writer.into_inner()
}

/// How a file is written. Rows come in the order of time: extremes of other columns would let no reader skip anything.
fn properties(is_compared: bool) -> WriterProperties {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(CREATED_BY.to_owned())
        .set_statistics_enabled(EnabledStatistics::None);
    let is_time = |field: &Field| matches!(field, Field::Day(_) | Field::Utc(_) | Field::Local(_));
    let times = columns(is_compared).filter(|(_, field)| is_time(field));
    let told = |properties: WriterPropertiesBuilder, name: &str| {
        properties.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Chunk)
    };
    times.fold(properties, |properties, (name, _)| told(properties, name)).build()
}

impl Sink for ParquetSink {
    fn row(&mut self, row: &Row) -> Result<(), Failure> {
        let compared = row.compared();
        let fields = row.fields();
        fields
            .iter()
            .chain(compared.iter().flatten())
            .zip(&mut self.columns)
            .for_each(|(field, column)| column.take(*field));
        self.rows += 1;
        if self.rows == ROWS_OF_A_GROUP && !self.hand_over() {
            let error = self.packed().err().unwrap_or(ParquetError::General("no file was written".to_owned()));
            return Err(self.whole.refused(&error));
        }
        Ok(())
    }

    fn end(mut self: Box<Self>) -> Result<(), Failure> {
        if self.rows > 0 {
            // What the packer could not write it says when it is asked for the file.
            self.hand_over();
        }
        let packed = self.packed();
        let file = packed.map_err(|error| self.whole.refused(&error))?;
        self.whole.end(&file)
    }
}

impl Column {
    fn of(field: &Field) -> Self {
        match field {
            Field::Text(_) => Self::Texts(Vec::new()),
            Field::Whole(_) => Self::Wholes(Vec::new(), Vec::new()),
            Field::Number(_) => Self::Numbers(Vec::new(), Vec::new()),
            Field::Day(_) => Self::Days(Vec::new()),
            Field::Utc(_) | Field::Local(_) => Self::Moments(Vec::new()),
        }
    }

    fn take(&mut self, field: Field) {
        match (self, field) {
            // The text before is often the same: its bytes are shared.
            (Self::Texts(texts), Field::Text(text)) => match texts.last() {
                Some(last) if last.data() == text.as_bytes() => texts.push(last.clone()),
                _ => texts.push(ByteArray::from(text)),
            },
            (Self::Wholes(values, there), Field::Whole(value)) => {
                values.extend(value);
                there.push(i16::from(value.is_some()));
            }
            (Self::Numbers(values, there), Field::Number(value)) => {
                values.extend(value);
                there.push(i16::from(value.is_some()));
            }
            (Self::Days(days), Field::Day(day)) => days.push(days_of(day)),
            (Self::Moments(moments), Field::Utc(at_s) | Field::Local(at_s)) => moments.push(at_s * 1000),
            _ => unreachable!("a column keeps its type"),
        }
    }

    fn write(&mut self, writer: &mut ColumnWriter) -> Result<(), ParquetError> {
        match (self, writer) {
            (Self::Texts(texts), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                writer.write_batch(texts, None, None)?;
                texts.clear();
            }
            (Self::Wholes(values, there), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(values, Some(there), None)?;
                values.clear();
                there.clear();
            }
            (Self::Numbers(values, there), ColumnWriter::DoubleColumnWriter(writer)) => {
                writer.write_batch(values, Some(there), None)?;
                values.clear();
                there.clear();
            }
            (Self::Days(days), ColumnWriter::Int32ColumnWriter(writer)) => {
                writer.write_batch(days, None, None)?;
                days.clear();
            }
            (Self::Moments(moments), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(moments, None, None)?;
                moments.clear();
            }
            _ => unreachable!("the schema is made from the columns"),
        }
        Ok(())
    }
}

fn schema_of(name: &str, field: &Field) -> String {
    match field {
        Field::Text(_) => format!("REQUIRED BYTE_ARRAY {name} (STRING); "),
        Field::Whole(_) => format!("OPTIONAL INT64 {name}; "),
        Field::Number(_) => format!("OPTIONAL DOUBLE {name}; "),
        Field::Day(_) => format!("REQUIRED INT32 {name} (DATE); "),
        Field::Utc(_) => format!("REQUIRED INT64 {name} (TIMESTAMP(MILLIS,true)); "),
        Field::Local(_) => format!("REQUIRED INT64 {name} (TIMESTAMP(MILLIS,false)); "),
    }
}

/// Days since 1970-01-01.
fn days_of(day: jiff::civil::Date) -> i32 {
    let midnight = jiff::tz::Offset::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight()));
    (midnight.map_or(0, jiff::Timestamp::as_second) / 86_400) as i32
}

/// Rows of a group, 200 bytes each; DuckDB hands its own groups of this length to one thread each.
const ROWS_OF_A_GROUP: usize = 122_880;
/// Groups in memory: one that is filled, one that waits, one that is packed.
const GROUPS_MAX: usize = 3;
const CREATED_BY: &str = concat!("kehai ", env!("CARGO_PKG_VERSION"));
