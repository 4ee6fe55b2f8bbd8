//! What a file is, by its first bytes.

use std::io::{self, Read};

use super::lines;
use super::listing::{SourceFile, unreadable};
use crate::problem::Problem;

const PARQUET: &[u8] = b"PAR1";

/// What else text is packed with, by the bytes at a place near the start; gzip alone is unpacked here.
const PACKED: [(usize, &[u8], &str); 9] = [
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "a zip archive"),
    (4, b"1AY&SY", "bzip2 data"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (0, b"\xff\x06\x00\x00sNaPpY", "Snappy data"),
    (0, b"\x04\x22\x4d\x18", "LZ4 data"),
    (0, b"\x89LZO", "LZO data"),
    (0, b"\xfd7zXZ\x00", "xz data"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
];

/// The same by the end of a name; those of Hadoop have no bytes to know them by.
pub(super) const OTHER_PACKINGS: [&str; 13] = [
    ".bz2",
    ".bzip2",
    ".zst",
    ".zstd",
    ".snappy",
    ".lz4",
    ".lzo",
    ".lzo_deflate",
    ".deflate",
    ".gzip",
    ".zip",
    ".xz",
    ".7z",
];

const PACK: &str = "unpack it, or pack it with gzip and name it `.gz`";

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
    if !head.is_empty() {
        check_name(file, gzip, head.starts_with(PARQUET))?;
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
    if head.starts_with(PARQUET) {
        return Ok(Some(Kind::Parquet));
    }
    for (start, name) in [(b"ORC".as_slice(), "an ORC file"), (b"Obj\x01", "an Avro file")] {
        if head.starts_with(start) {
            return problem(format!("is {name}, which is not read here"), "write JSON Lines, CSV or Parquet");
        }
    }
    for (at, bytes, name) in PACKED {
        if head.get(at..).is_some_and(|rest| rest.starts_with(bytes)) {
            return problem(format!("is {name}, which is not read here"), PACK);
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
    let text = lines::without_bom(head);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Ok(Some(Kind::Json)),
        Some(_) => Ok(Some(Kind::Csv)),
        None if text.is_empty() => Ok(None),
        None => {
            problem("starts with lines of white space alone: Athena reads a row from each".to_owned(), "take them out")
        }
    }
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

/// Athena unpacks text by the last extension of a file's name, letter case included.
/// <https://github.com/trinodb/trino/blob/476/lib/trino-hive-formats/src/main/java/io/trino/hive/formats/compression/CompressionKind.java>
fn check_name(file: &SourceFile, gzip: bool, parquet: bool) -> Result<(), Problem> {
    let problem = |message: &str, help: &str| Err(Problem::new(file.shown.clone(), "byte 0", message, help));
    let name = file.relative.to_ascii_lowercase();
    match (gzip, file.relative.ends_with(".gz"), name.ends_with(".gz")) {
        (true, true, _) => Ok(()),
        (true, false, _) => problem(
            "holds gzip data and is not named `.gz`",
            "rename it to end in `.gz`, in small letters: Athena goes by it",
        ),
        (false, _, true) => {
            problem("is named `.gz` and holds no gzip data", "take `.gz` off the name: Athena goes by it")
        }
        (false, ..) => match OTHER_PACKINGS.iter().find(|end| name.ends_with(*end)) {
            // Parquet is compressed inside, and its name tells readers nothing.
            Some(end) if !parquet => problem(&format!("is named `{end}`, which is not read here"), PACK),
            _ => Ok(()),
        },
    }
}
