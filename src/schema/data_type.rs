//! Glue (Hive) column types.

use std::fmt;

/// A Glue column type. [`DataType::parse`] and `Display` are inverses on canonical spellings.
///
/// Spellings: <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataType {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal {
        precision: u8,
        scale: u8,
    },
    String,
    Char(u16),
    Varchar(u16),
    Binary,
    Date,
    Timestamp,
    Array(Box<DataType>),
    Map(Box<DataType>, Box<DataType>),
    Struct(Vec<StructField>),
    /// A spelling this program does not know: equal only to itself, never compatible with anything.
    Unrecognized(Box<str>),
}

/// One field of a struct; names keep the case the catalog gives them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StructField {
    pub name: String,
    pub data_type: DataType,
}

impl DataType {
    /// Reads a Glue type string. Total: what cannot be read becomes [`DataType::Unrecognized`].
    pub fn parse(text: &str) -> Self {
        let trimmed = text.trim();
        let mut reader = Reader { rest: trimmed };
        match reader.data_type() {
            Some(data_type) if reader.rest.trim().is_empty() => data_type,
            _ => Self::Unrecognized(trimmed.into()),
        }
    }

    /// True for a type that has others inside it.
    pub fn is_nested(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Map(..) | Self::Struct(_))
    }

    /// True if this type, or a type nested in it, could not be read.
    pub fn has_unrecognized(&self) -> bool {
        match self {
            Self::Unrecognized(_) => true,
            Self::Array(item) => item.has_unrecognized(),
            Self::Map(key, value) => key.has_unrecognized() || value.has_unrecognized(),
            Self::Struct(fields) => fields.iter().any(|field| field.data_type.has_unrecognized()),
            _ => false,
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Varchar(length) => write!(f, "varchar({length})"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Array(item) => write!(f, "array<{item}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{}", field.name, field.data_type)?;
                }
                f.write_str(">")
            }
            Self::Unrecognized(text) => f.write_str(text),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn data_type(&mut self) -> Option<DataType> {
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_ascii_lowercase();
        Some(match word.as_str() {
            "boolean" => DataType::Boolean,
            "tinyint" | "byte" => DataType::TinyInt,
            "smallint" | "short" => DataType::SmallInt,
            "int" | "integer" => DataType::Int,
            "bigint" | "long" => DataType::BigInt,
            "float" | "real" => DataType::Float,
            "double" => DataType::Double,
            "string" => DataType::String,
            "binary" => DataType::Binary,
            "date" => DataType::Date,
            "timestamp" => DataType::Timestamp,
            "decimal" | "numeric" => self.decimal()?,
            "char" => DataType::Char(self.length()?),
            "varchar" => DataType::Varchar(self.length()?),
            "array" => {
                self.expect('<')?;
                let item = self.data_type()?;
                self.expect('>')?;
                DataType::Array(Box::new(item))
            }
            "map" => {
                self.expect('<')?;
                let key = self.data_type()?;
                self.expect(',')?;
                let value = self.data_type()?;
                self.expect('>')?;
                DataType::Map(Box::new(key), Box::new(value))
            }
            "struct" => DataType::Struct(self.fields()?),
            _ => return None,
        })
    }

    fn fields(&mut self) -> Option<Vec<StructField>> {
        self.expect('<')?;
        let mut fields = Vec::new();
        if self.expect('>').is_some() {
            return Some(fields);
        }
        loop {
            let name = self.take_while(|c| c != ':').trim().to_owned();
            if name.is_empty() {
                return None;
            }
            self.expect(':')?;
            fields.push(StructField { name, data_type: self.data_type()? });
            if self.expect('>').is_some() {
                return Some(fields);
            }
            self.expect(',')?;
        }
    }

    fn decimal(&mut self) -> Option<DataType> {
        if self.expect('(').is_none() {
            return Some(DataType::Decimal { precision: 10, scale: 0 });
        }
        let precision = self.number()?;
        let scale = if self.expect(',').is_some() { self.number()? } else { 0 };
        self.expect(')')?;
        (precision <= 38 && scale <= precision)
            .then_some(DataType::Decimal { precision: precision as u8, scale: scale as u8 })
    }

    fn length(&mut self) -> Option<u16> {
        self.expect('(')?;
        let length = self.number()?;
        self.expect(')')?;
        Some(length)
    }

    fn number(&mut self) -> Option<u16> {
        self.rest = self.rest.trim_start();
        self.take_while(|c| c.is_ascii_digit()).parse().ok()
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        let rest = self.rest.trim_start().strip_prefix(wanted)?;
        self.rest = rest;
        Some(())
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}
