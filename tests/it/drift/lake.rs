//! Tables and contracts in a few words.

use crawlguard::contract::{Contract, Origin, Policy};
use crawlguard::schema::{Column, DataType, Evidence, PARTITIONS_INHERIT, Storage, Table, TableKind};

/// `id bigint, order struct<id:int>`; a `?` after the type: no value seen.
pub fn columns(text: &str) -> Vec<Column> {
    let mut depth = 0;
    let at_comma = |character: char| {
        depth += i32::from("<(".contains(character)) - i32::from(">)".contains(character));
        character == ',' && depth == 0
    };
    let column = |text: &str| {
        let (name, data_type) = text.trim().split_once(' ').expect("name and type");
        let (data_type, evidence) = match data_type.strip_suffix('?') {
            Some(data_type) => (data_type, Evidence::None),
            None => (data_type, Evidence::Seen),
        };
        Column { evidence, ..Column::new(name, DataType::parse(data_type)) }
    };
    text.split(at_comma).filter(|text| !text.trim().is_empty()).map(column).collect()
}

fn stored(serde: &str, classification: &str, text: &str) -> Table {
    Table {
        name: "raw_orders".to_owned(),
        columns: columns(text),
        storage: Storage {
            serde: Some(serde.to_owned()),
            classification: Some(classification.to_owned()),
            compression: Some("none".to_owned()),
            ..Storage::default()
        },
        location: Some("s3://example-lake/orders/".to_owned()),
        ..Table::default()
    }
}

pub fn csv(columns: &str) -> Table {
    let mut table = stored(Storage::LAZY_SIMPLE, "csv", columns).serde_parameter("field.delim", ",");
    table.storage.skip_header_lines = 1;
    table
}

pub fn open_csv(columns: &str) -> Table {
    csv(columns).serde(Storage::OPEN_CSV)
}

pub fn json(columns: &str) -> Table {
    stored(Storage::OPENX_JSON, "json", columns)
}

pub fn avro(columns: &str) -> Table {
    stored(Storage::AVRO, "avro", columns)
}

pub fn parquet(columns: &str) -> Table {
    stored(Storage::PARQUET, "parquet", columns)
}

pub fn orc(columns: &str) -> Table {
    stored(Storage::ORC, "orc", columns)
}

/// Small edits, so that a case reads as what differs.
pub trait Edit: Sized {
    fn edit(self, change: impl FnOnce(&mut Table)) -> Self;

    fn named(self, name: &str) -> Self {
        self.edit(|table| table.name = name.to_owned())
    }

    fn at(self, location: &str) -> Self {
        self.edit(|table| table.location = Some(location.to_owned()))
    }

    fn keys(self, keys: &str) -> Self {
        self.edit(|table| table.partition_keys = columns(keys))
    }

    fn serde(self, serde: &str) -> Self {
        self.edit(|table| table.storage.serde = Some(serde.to_owned()))
    }

    fn serde_parameter(self, key: &str, value: &str) -> Self {
        self.edit(|table| drop(table.storage.serde_parameters.insert(key.to_owned(), value.to_owned())))
    }

    fn parameter(self, key: &str, value: &str) -> Self {
        self.edit(|table| drop(table.parameters.insert(key.to_owned(), value.to_owned())))
    }

    /// Partitioned by day, and no partition has a column list of its own.
    fn inherited(self) -> Self {
        self.keys("day string").parameter(PARTITIONS_INHERIT, "true")
    }

    fn kind(self, kind: TableKind) -> Self {
        self.edit(|table| table.kind = kind)
    }
}

impl Edit for Table {
    fn edit(mut self, change: impl FnOnce(&mut Table)) -> Self {
        change(&mut self);
        self
    }
}

pub fn contract(table: &Table) -> Contract {
    Contract {
        file: format!("contracts/{}.json", table.name),
        id: table.name.clone(),
        table: table.clone(),
        origin: Origin::Crawler,
        policy: Policy::default(),
        checks: Vec::new(),
    }
}
