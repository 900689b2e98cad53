//! What is written is what is read, by readers that are not ours.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use fusewire_core::units::parse_fixed;
use proptest::prelude::*;

use super::table::{ColumnKind, Decimal, Value};
use super::*;

const fn column(name: &'static str, kind: ColumnKind) -> Column {
    Column { name, kind, about: "" }
}

/// One of each kind.
const COLUMNS: [Column; 8] = [
    column("u64", ColumnKind::U64),
    column("i64", ColumnKind::I64),
    column("u32", ColumnKind::U32),
    column("bool", ColumnKind::Bool),
    column("text", ColumnKind::Text),
    column("whole", ColumnKind::Decimal { scale: 0 }),
    column("amount", ColumnKind::Decimal { scale: 8 }),
    column("rate", ColumnKind::Decimal { scale: 12 }),
];

type Row = [Value<'static>; COLUMNS.len()];

fn nulls() -> Row {
    [const { Value::Null }; COLUMNS.len()]
}

fn extremes() -> Vec<Row> {
    let decimal = Value::Decimal;
    vec![
        [
            u64::MAX.into(),
            i64::MIN.into(),
            u32::MAX.into(),
            true.into(),
            "a \"b\", c\r\nd\n; é 币".into(),
            decimal(i128::MAX),
            decimal(i128::MAX),
            decimal(i128::MAX),
        ],
        nulls(),
        [
            0_u64.into(),
            i64::MAX.into(),
            0_u32.into(),
            false.into(),
            "-".into(),
            decimal(i128::MIN),
            decimal(i128::MIN),
            decimal(i128::MIN),
        ],
        [
            1_u64.into(),
            (-1_i64).into(),
            1_u32.into(),
            Value::Null,
            " ".into(),
            decimal(-1),
            decimal(-1),
            decimal(-1_500_000_000_000),
        ],
    ]
}

fn write<W: Write + Send>(format: Format, out: W, rows: &[Row]) -> Result<(), ExportError> {
    let mut sink = open(format, "OUT", out, &COLUMNS)?;
    for row in rows {
        sink.row(row)?;
    }
    sink.finish()
}

fn written(format: Format, rows: &[Row]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(format, &mut bytes, rows).unwrap();
    bytes
}

/// A writer that takes so many bytes and no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn any_row() -> impl Strategy<Value = Row> {
    let number = || prop_oneof![any::<i128>(), -1_000_000_000_000_i128..1_000_000_000_000];
    // The library's own parser of decimals, which reads the text back, knows no `i128::MIN`.
    let decimal = move || number().prop_filter("", |n| *n != i128::MIN);
    let maybe = proptest::option::of::<BoxedStrategy<Value<'static>>>;
    let kinds = (
        maybe(any::<u64>().prop_map(Value::from).boxed()),
        maybe(any::<i64>().prop_map(Value::from).boxed()),
        maybe(any::<u32>().prop_map(Value::from).boxed()),
        maybe(any::<bool>().prop_map(Value::from).boxed()),
        maybe("[a-c\",\n\r\\\\ é]{1,6}".prop_map(Value::from).boxed()),
        maybe(decimal().prop_map(Value::Decimal).boxed()),
        maybe(decimal().prop_map(Value::Decimal).boxed()),
        maybe(decimal().prop_map(Value::Decimal).boxed()),
    );
    kinds.prop_map(|(a, b, c, d, e, f, g, h)| {
        [a, b, c, d, e, f, g, h].map(|value| value.unwrap_or(Value::Null))
    })
}

mod csv_files {
    use super::*;

    /// Reads a field as its column says.
    fn value(kind: ColumnKind, field: &str) -> Value<'static> {
        if field.is_empty() {
            return Value::Null;
        }
        match kind {
            ColumnKind::U64 => field.parse::<u64>().unwrap().into(),
            ColumnKind::I64 => field.parse::<i64>().unwrap().into(),
            ColumnKind::U32 => field.parse::<u32>().unwrap().into(),
            ColumnKind::Bool => field.parse::<bool>().unwrap().into(),
            ColumnKind::Text => field.to_owned().into(),
            ColumnKind::Decimal { scale } => {
                Value::Decimal(parse_fixed(field.as_bytes(), scale).unwrap())
            }
        }
    }

    fn read(bytes: &[u8]) -> Vec<Row> {
        let mut reader = csv::Reader::from_reader(bytes);
        let names: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(names, COLUMNS.map(|column| column.name));
        let row = |record: csv::StringRecord| -> Row {
            std::array::from_fn(|at| value(COLUMNS[at].kind, &record[at]))
        };
        reader.records().map(|record| row(record.unwrap())).collect()
    }

    #[test]
    fn every_kind_has_its_text() {
        let text = String::from_utf8(written(Format::Csv, &extremes())).unwrap();
        let max = "170141183460469231731687303715884105727";
        let whole = "1701411834604692317316873037158.84105727";
        let rate = "170141183460469231731687303.715884105727";
        let min = "-170141183460469231731687303715884105728";
        let expected = format!(
            "u64,i64,u32,bool,text,whole,amount,rate\n\
             18446744073709551615,-9223372036854775808,4294967295,true,\
             \"a \"\"b\"\", c\r\nd\n; é 币\",{max},{whole},{rate}\n\
             ,,,,,,,\n\
             0,9223372036854775807,0,false,-,{min},-1701411834604692317316873037158.84105728,\
             -170141183460469231731687303.715884105728\n\
             1,-1,1,, ,-1,-0.00000001,-1.5\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn no_rows_are_a_header() {
        assert_eq!(written(Format::Csv, &[]), b"u64,i64,u32,bool,text,whole,amount,rate\n");
    }

    proptest! {
        #[test]
        fn rows_come_back(rows in proptest::collection::vec(any_row(), 0..40)) {
            prop_assert_eq!(read(&written(Format::Csv, &rows)), rows);
        }
    }
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;

    fn reader(bytes: &[u8]) -> SerializedFileReader<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        SerializedFileReader::new(file).unwrap()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the crate knows many more kinds than we")]
    fn value(field: &Field) -> Value<'static> {
        match field {
            Field::Null => Value::Null,
            Field::ULong(number) => (*number).into(),
            Field::Long(number) => (*number).into(),
            Field::UInt(number) => (*number).into(),
            Field::Bool(truth) => (*truth).into(),
            Field::Str(text) => text.clone().into(),
            Field::Decimal(decimal) => {
                assert_eq!(decimal.precision(), 38);
                Value::Decimal(i128::from_be_bytes(decimal.data().try_into().unwrap()))
            }
            other => panic!("no kind of ours: {other:?}"),
        }
    }

    fn read(bytes: &[u8]) -> Vec<Row> {
        let reader = reader(bytes);
        let row = |row: parquet::record::Row| -> Row {
            let fields: Vec<_> = row.get_column_iter().map(|(_, field)| value(field)).collect();
            fields.try_into().unwrap()
        };
        reader.get_row_iter(None).unwrap().map(|found| row(found.unwrap())).collect()
    }

    #[test]
    fn every_kind_comes_back() {
        assert_eq!(read(&written(Format::Parquet, &extremes())), extremes());
        // An empty text is a text here.
        let mut row = nulls();
        row[4] = "".into();
        let rows = [row, nulls()];
        assert_eq!(read(&written(Format::Parquet, &rows)), rows);
    }

    #[test]
    fn columns_have_the_types_that_readers_know() {
        let reader = reader(&written(Format::Parquet, &[nulls()]));
        let file = reader.metadata().file_metadata();
        let expected = [
            (PhysicalType::INT64, Some(LogicalType::integer(64, false))),
            (PhysicalType::INT64, Some(LogicalType::integer(64, true))),
            (PhysicalType::INT32, Some(LogicalType::integer(32, false))),
            (PhysicalType::BOOLEAN, None),
            (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            (PhysicalType::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(0, 38))),
            (PhysicalType::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(8, 38))),
            (PhysicalType::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(12, 38))),
        ];
        for ((column, found), (physical, logical)) in
            COLUMNS.iter().zip(file.schema_descr().columns()).zip(expected)
        {
            assert_eq!(found.name(), column.name);
            assert_eq!(found.physical_type(), physical, "{}", column.name);
            assert_eq!(found.logical_type_ref(), logical.as_ref(), "{}", column.name);
            assert_eq!(found.self_type().get_basic_info().repetition(), Repetition::OPTIONAL);
        }
        assert!(file.created_by().unwrap().starts_with("fusewire version 0."));
        let chunk = reader.metadata().row_group(0).column(0);
        assert!(matches!(chunk.compression(), Compression::ZSTD(_)));
    }

    #[test]
    fn no_rows_are_a_schema() {
        let bytes = written(Format::Parquet, &[]);
        assert_eq!(read(&bytes), Vec::<Row>::new());
        let metadata = reader(&bytes).metadata().clone();
        assert_eq!(metadata.file_metadata().num_rows(), 0);
        assert_eq!(metadata.file_metadata().schema_descr().num_columns(), COLUMNS.len());
    }

    /// The rows of each group.
    fn groups(bytes: &[u8]) -> Vec<i64> {
        reader(bytes).metadata().row_groups().iter().map(|group| group.num_rows()).collect()
    }

    #[test]
    fn a_full_group_begins_another() {
        let row = |n: u64| {
            let mut row = nulls();
            row[0] = n.into();
            row[4] = if n.is_multiple_of(3) { Value::Null } else { (n % 7).to_string().into() };
            row[6] = Value::Decimal(i128::from(n) - 70_000);
            row
        };
        let rows: Vec<_> = (0..2 * 65_536 + 1).map(row).collect();
        let bytes = written(Format::Parquet, &rows);
        assert_eq!(groups(&bytes), [65_536, 65_536, 1]);
        assert!(read(&bytes) == rows);
        assert_eq!(groups(&written(Format::Parquet, &rows[..65_536])), [65_536]);
    }

    #[test]
    fn long_texts_fill_a_group_early() {
        let mut row = nulls();
        row[4] = "x".repeat(12 << 20).into();
        let rows = vec![row; 7];
        let bytes = written(Format::Parquet, &rows);
        assert_eq!(groups(&bytes), [3, 3, 1]);
        assert!(read(&bytes) == rows);
    }

    #[test]
    fn the_same_rows_are_the_same_bytes() {
        let twice = [0, 1].map(|_| written(Format::Parquet, &extremes()));
        assert!(twice[0] == twice[1]);
    }

    proptest! {
        #[test]
        fn rows_come_back(rows in proptest::collection::vec(any_row(), 0..40)) {
            prop_assert_eq!(read(&written(Format::Parquet, &rows)), rows);
        }
    }
}

/// The formats of this build.
fn formats() -> Vec<Format> {
    let all = [Format::Csv, Format::Parquet];
    all.into_iter().filter(|format| is_built_in(*format).is_ok()).collect()
}

#[test]
fn decimals_are_short_and_exact() {
    for (raw, scale, text) in [
        (0, 0, "0"),
        (0, 8, "0"),
        (1, 8, "0.00000001"),
        (-1, 8, "-0.00000001"),
        (6_165_970_000_000, 8, "61659.7"),
        (300_000_000, 8, "3"),
        (-120, 1, "-12"),
        (100, 0, "100"),
        (-105, 2, "-1.05"),
    ] {
        assert_eq!(Decimal { raw, scale }.to_string(), text);
    }
}

/// Wherever the disk says no, be it in the middle of a row or at the very end, that comes back.
#[test]
fn every_failed_write_names_the_file() {
    for format in formats() {
        let whole = written(format, &extremes()).len();
        for room in 0..whole {
            let error = write(format, Full(room), &extremes()).unwrap_err();
            assert!(error.to_string().starts_with("OUT: "), "{error}");
            let ExportError::Write { error, .. } = error else { panic!("{error}") };
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{format:?} at {room}");
        }
        write(format, Full(whole), &extremes()).unwrap();
    }
}

#[test]
fn a_file_that_can_not_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for format in formats() {
        let path = folder.path().join("missing").join("rows");
        let error = create(format, &path, &COLUMNS).err().unwrap().to_string();
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
    }
}

#[test]
fn a_new_file_replaces_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows");
    for format in formats() {
        std::fs::write(&path, "x".repeat(1 << 16)).unwrap();
        let mut sink = create(format, &path, &COLUMNS).unwrap();
        for row in extremes() {
            sink.row(&row).unwrap();
        }
        sink.finish().unwrap();
        assert!(std::fs::read(&path).unwrap() == written(format, &extremes()));
    }
}

#[test]
fn rows_that_do_not_fit_are_faults_of_the_program() {
    let wrong: [(usize, Value<'static>); 9] = [
        (0, 1_i64.into()),
        (1, 1_u64.into()),
        (2, (1_u64 << 32).into()),
        (3, 1_u64.into()),
        (4, Value::Decimal(1)),
        (5, 1_i64.into()),
        (6, "1".into()),
        (7, true.into()),
        (0, false.into()),
    ];
    for format in formats() {
        let refuses = |row: &[Value<'_>]| {
            let mut sink = open(format, "OUT", io::sink(), &COLUMNS).unwrap();
            catch_unwind(AssertUnwindSafe(|| sink.row(row))).is_err()
        };
        assert!(!refuses(&nulls()));
        assert!(refuses(&nulls()[1..]), "too few");
        assert!(refuses(&[&nulls()[..], &[Value::Null]].concat()), "too many");
        for (at, value) in wrong.clone() {
            let mut row = nulls();
            row[at] = value;
            assert!(refuses(&row), "{:?} in {}", row[at], COLUMNS[at].name);
        }
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_so_and_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    let error = create(Format::Parquet, &path, &COLUMNS).err().unwrap().to_string();
    assert_eq!(error, "this build has no Parquet: build with --features parquet");
    assert!(!path.exists());
    assert!(open(Format::Parquet, "OUT", io::sink(), &COLUMNS).is_err());
}
