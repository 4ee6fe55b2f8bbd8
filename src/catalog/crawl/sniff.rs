//! What a file is, by its first bytes.

use std::io::{self, Read};

use super::lines;
use super::listing::{SourceFile, unreadable};
use crate::problem::Problem;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Json,
    Csv,
    Parquet,
}

impl Kind {
    /// Glue's `classification`.
    pub(super) fn classification(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sniffed {
    pub(super) kind: Kind,
    pub(super) gzip: bool,
}

/// Looks at a file's first bytes; `None` if it holds nothing.
pub(super) fn sniff(file: &SourceFile) -> Result<Option<Sniffed>, Problem> {
    let failed = |error| unreadable(&file.path, &error);
    let mut head = Vec::new();
    read_head(file, false, &mut head).map_err(failed)?;
    let gzip = head.starts_with(b"\x1f\x8b");
    if gzip != file.relative.to_ascii_lowercase().ends_with(".gz") && !head.is_empty() {
        return Err(misnamed(file, gzip));
    }
    if gzip {
        head.clear();
        read_head(file, true, &mut head).map_err(failed)?;
    }
    let kind = kind(file, &head)?;
    if gzip && kind == Some(Kind::Parquet) {
        let help = "unpack it: Parquet is compressed inside, and cannot be read through gzip";
        return Err(Problem::new(file.shown.clone(), "byte 0", "is Parquet inside gzip", help));
    }
    Ok(kind.map(|kind| Sniffed { kind, gzip }))
}

fn read_head(file: &SourceFile, gzip: bool, head: &mut Vec<u8>) -> io::Result<()> {
    lines::open(file, gzip)?.take(4096).read_to_end(head).map(drop)
}

fn kind(file: &SourceFile, head: &[u8]) -> Result<Option<Kind>, Problem> {
    let problem = |message: String, help: &str| Err(Problem::new(file.shown.clone(), "byte 0", message, help));
    if head.starts_with(b"PAR1") {
        return Ok(Some(Kind::Parquet));
    }
    for (start, name) in
        [(b"ORC".as_slice(), "an ORC file"), (b"Obj\x01", "an Avro file"), (b"PK\x03\x04", "a zip archive")]
    {
        if head.starts_with(start) {
            return problem(format!("is {name}, which is not read here"), "write JSON Lines, CSV or Parquet");
        }
    }
    if let Some(name) = utf16(head) {
        return problem(format!("is {name} text"), "write it in UTF-8");
    }
    if file.relative.to_ascii_lowercase().ends_with(".parquet") && !head.is_empty() {
        let message = "is named `.parquet` and does not start as one".to_owned();
        return problem(message, "copy the file again, or rename it");
    }
    if head.contains(&0) {
        let message = "holds binary data or UTF-16 text".to_owned();
        return problem(message, "write JSON Lines or CSV in UTF-8, or Parquet");
    }
    let first = lines::without_bom(head).iter().find(|byte| !byte.is_ascii_whitespace());
    Ok(first.map(|byte| if matches!(byte, b'{' | b'[') { Kind::Json } else { Kind::Csv }))
}

/// The encoding that a byte order mark tells.
fn utf16(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] => Some("UTF-16 (little-endian)"),
        [0xfe, 0xff, ..] => Some("UTF-16 (big-endian)"),
        _ => None,
    }
}

fn misnamed(file: &SourceFile, gzip: bool) -> Problem {
    let (message, help) = if gzip {
        ("holds gzip data and is not named `.gz`", "add `.gz` to the name: Athena goes by it")
    } else {
        ("is named `.gz` and holds no gzip data", "take `.gz` off the name: Athena goes by it")
    };
    Problem::new(file.shown.clone(), "byte 0", message, help)
}
