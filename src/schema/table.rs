//! A table as the catalog describes it.

use std::collections::BTreeMap;

use super::DataType;

/// Table parameter of a crawler that no longer finds the table's data.
pub const DEPRECATED: &str = "DEPRECATED_BY_CRAWLER";

/// Table parameter of our own crawler: why it could not read the table's files the last time.
pub const UNREADABLE: &str = "crawlguard.unreadable";

/// Table parameter of our own crawler: the files whose header is not the newest one, as JSON.
pub const MIXED_HEADERS: &str = "crawlguard.mixed_headers";

/// Table parameter of our own crawler: the columns and nested fields that older files have and none of the newest has, as a
/// JSON list of paths.
pub const MISSING_IN_NEWEST: &str = "crawlguard.missing_in_newest";

/// Table parameter: values keep the quotes they stand in, as the SerDe knows none; the file and line where.
pub const QUOTED_VALUES: &str = "crawlguard.quoted_values";

/// Table parameter: set if no partition has a column list of its own. Our own crawler writes it; a table of Glue's gets it when
/// it is read, by what its crawler is set to do.
pub const PARTITIONS_INHERIT: &str = "crawlguard.partitions_inherit";

/// Table parameter of our own crawler: set if some lines of the table's files end in `\n` and some in `\r\n`.
pub const MIXED_LINE_ENDS: &str = "crawlguard.mixed_line_ends";
/// Table parameter: a file ends in an empty line, from which Athena reads a row.
pub const EMPTY_LINES: &str = "crawlguard.empty_lines";

/// The same, of those that some of the newest files have and others have not.
pub const MISSING_IN_SOME: &str = "crawlguard.missing_in_some";

/// Table parameter of our own crawler: path → one of the newest files that lacks it, as a JSON object.
pub const LACKING_FILES: &str = "crawlguard.lacking_files";

/// Table parameter that names the crawler.
pub const UPDATED_BY_CRAWLER: &str = "UPDATED_BY_CRAWLER";

/// The name of our own crawler.
pub const OUR_CRAWLER: &str = "crawlguard";

/// Table parameter of our own crawler: what it noticed that is no fault, as a JSON list of problems.
pub const NOTES: &str = "crawlguard.notes";

/// Table parameter: the rows of the published version.
pub const ROWS: &str = "crawlguard.rows";

/// Table parameter of a published version that was put back: the number of the version that it is.
pub const RESTORED: &str = "crawlguard.restored";

/// A catalog table: what a crawler wrote, or what a contract promises.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    pub database: String,
    /// Lowercase, as Glue stores it.
    pub name: String,
    /// Data columns in catalog order; partition keys are not among them.
    pub columns: Vec<Column>,
    pub partition_keys: Vec<Column>,
    pub storage: Storage,
    /// The S3 or file URI of the data, with its trailing slash.
    pub location: Option<String>,
    pub kind: TableKind,
    /// Glue's marker that the crawler no longer found the table; of a contract, that the source is retired.
    pub deprecated: bool,
    /// Glue `Table.Parameters`, all of them.
    pub parameters: BTreeMap<String, String>,
    /// Glue's `VersionId`, for optimistic updates; absent in dumps and contracts.
    pub version: Option<String>,
}

impl Table {
    /// Data columns, then partition keys.
    pub fn all_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().chain(&self.partition_keys)
    }

    /// True if our own crawler wrote it, which records what Glue's does not.
    pub fn is_of_our_crawler(&self) -> bool {
        self.parameters.get(UPDATED_BY_CRAWLER).is_some_and(|name| name == OUR_CRAWLER)
    }

    /// True if partitions may have column lists of their own, other than the table's.
    pub fn may_have_partition_lists(&self) -> bool {
        !self.partition_keys.is_empty() && !self.parameters.contains_key(PARTITIONS_INHERIT)
    }

    /// A data column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| same_name(&column.name, name))
    }
}

/// Whether two names are one to Glue, which stores them in lower case.
pub fn same_name(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableKind {
    #[default]
    External,
    View,
    Iceberg,
}

/// One column, or one partition key. Of ten thousand tables these fill the memory: what is seldom there is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub data_type: DataType,
    pub comment: Option<Box<str>>,
    pub evidence: Evidence,
}

impl Column {
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type, comment: None, evidence: Evidence::Seen }
    }
}

/// Whether the crawler saw a value in the column.
///
/// Our own crawler records it (column parameter `crawlguard.evidence` = `none`); Glue's does not, so
/// what Glue reports counts as seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evidence {
    #[default]
    Seen,
    /// Every sampled value was empty: the type is a placeholder.
    None,
}

/// How the bytes are stored: the decoding half of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Storage {
    /// Glue `classification`: `csv`, `json`, `parquet`, …
    pub classification: Option<String>,
    /// `SerdeInfo.SerializationLibrary`, the Java class.
    pub serde: Option<String>,
    pub serde_parameters: BTreeMap<String, String>,
    pub input_format: Option<String>,
    pub output_format: Option<String>,
    /// Glue `compressionType`: `none`, `gzip`, …
    pub compression: Option<String>,
    /// `skip.header.line.count`; 0 if unset.
    pub skip_header_lines: u32,
}

/// How a reader finds a column's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    Name,
    Position,
}

/// The file format as its SerDe reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `LazySimpleSerDe` or `OpenCSVSerde`: always by position.
    Csv,
    /// OpenX or Hive JSON: by key.
    Json,
    Avro,
    Parquet(Binding),
    Orc(Binding),
    /// A SerDe whose behaviour is not known here: nothing about it may be assumed.
    Unknown,
}

impl Format {
    /// How columns bind, `None` if unknown.
    /// <https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html>
    pub fn binding(self) -> Option<Binding> {
        match self {
            Self::Csv => Some(Binding::Position),
            Self::Json | Self::Avro => Some(Binding::Name),
            Self::Parquet(binding) | Self::Orc(binding) => Some(binding),
            Self::Unknown => None,
        }
    }
}

impl Storage {
    pub const LAZY_SIMPLE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
    pub const OPEN_CSV: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
    pub const OPENX_JSON: &str = "org.openx.data.jsonserde.JsonSerDe";
    pub const HIVE_JSON: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
    pub const PARQUET: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
    pub const ORC: &str = "org.apache.hadoop.hive.ql.io.orc.OrcSerde";
    pub const AVRO: &str = "org.apache.hadoop.hive.serde2.avro.AvroSerDe";

    /// The format, from the SerDe alone: a classification is a label, the SerDe is what reads.
    pub fn format(&self) -> Format {
        let by_index = |key: &str, default: bool| {
            let given = self.serde_parameters.get(key).map(|value| value.eq_ignore_ascii_case("true"));
            if given.unwrap_or(default) { Binding::Position } else { Binding::Name }
        };
        match self.serde.as_deref() {
            Some(Self::LAZY_SIMPLE | Self::OPEN_CSV) => Format::Csv,
            Some(Self::OPENX_JSON | Self::HIVE_JSON) => Format::Json,
            Some(Self::AVRO) => Format::Avro,
            Some(Self::PARQUET) => Format::Parquet(by_index("parquet.column.index.access", false)),
            Some(Self::ORC) => Format::Orc(by_index("orc.column.index.access", true)),
            _ => Format::Unknown,
        }
    }
}
