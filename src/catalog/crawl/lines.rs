//! A text file line by line, as Athena splits it, whatever quotes say: at `\n` and `\r\n`. It splits at a lone `\r`, too, which
//! not every reader does: that is refused.
//! <https://github.com/trinodb/trino/blob/476/lib/trino-hive-formats/src/main/java/io/trino/hive/formats/line/text/TextLineReader.java>

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::listing::SourceFile;
use super::log::Log;

/// Longer lines are refused: they would not fit the engine's buffer either, and memory stays bounded.
const LONGEST: u64 = 16 * 1024 * 1024;
const BUFFER: usize = 256 * 1024;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Opens a file, unpacked.
pub(super) fn open(file: &SourceFile, gzip: bool) -> io::Result<Box<dyn BufRead>> {
    let packed = BufReader::with_capacity(BUFFER, File::open(&file.path)?);
    Ok(if gzip { Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(packed))) } else { Box::new(packed) })
}

/// The first bytes without a byte order mark.
pub(super) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}

/// Which ends lines have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) lf: bool,
    pub(super) crlf: bool,
}

impl Ends {
    pub(super) fn with(self, other: Self) -> Self {
        Self { lf: self.lf || other.lf, crlf: self.crlf || other.crlf }
    }

    pub(super) fn are_mixed(self) -> bool {
        self.lf && self.crlf
    }
}

/// Reads lines without their ends and without a byte order mark.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    /// The number of the line read last, from 1.
    number: u64,
    ends: Ends,
}

impl Lines {
    pub(super) fn new(reader: Box<dyn BufRead>) -> Self {
        Self { reader, line: Vec::new(), number: 0, ends: Ends::default() }
    }

    /// Those of the lines read so far.
    pub(super) fn ends(&self) -> Ends {
        self.ends
    }

    /// The next line and its number; `None` at the end, or after a problem that ends the reading and is in the log.
    pub(super) fn next(&mut self, log: &mut Log<'_>) -> Option<(u64, &[u8])> {
        self.line.clear();
        self.number += 1;
        let read = (&mut self.reader).take(LONGEST).read_until(b'\n', &mut self.line);
        match read {
            Ok(0) => None,
            Ok(bytes) if bytes as u64 == LONGEST && !self.line.ends_with(b"\n") => {
                self.report_length(log);
                None
            }
            Ok(_) => {
                let line = match (self.line.strip_suffix(b"\r\n"), self.line.strip_suffix(b"\n")) {
                    (Some(line), _) => {
                        self.ends.crlf = true;
                        line
                    }
                    (None, Some(line)) => {
                        self.ends.lf = true;
                        line
                    }
                    (None, None) => &self.line,
                };
                Some((self.number, if self.number == 1 { without_bom(line) } else { line }))
            }
            Err(error) => {
                log.at_line(self.number, format!("cannot be read: {error}"), "copy the file again; it may be cut off");
                None
            }
        }
    }

    fn report_length(&self, log: &mut Log<'_>) {
        if has_lone_cr(&self.line) {
            report_lone_cr(self.number, log);
        } else {
            log.at_line(self.number, "line is longer than 16 MiB", "write one record a line");
        }
    }
}

/// True if a `\r` stands inside a line, or at the end of a file.
pub(super) fn has_lone_cr(line: &[u8]) -> bool {
    line.contains(&b'\r')
}

pub(super) fn report_lone_cr(line: u64, log: &mut Log<'_>) {
    log.at_line(line, "a lone carriage return ends a line", "end every line in `\\n` or in `\\r\\n`");
}

/// Logs a NUL byte if a line holds one; true if it does.
pub(super) fn report_nul(number: u64, line: &[u8], log: &mut Log<'_>) -> bool {
    let Some(at) = line.iter().position(|byte| *byte == 0) else { return false };
    log.push(format!("{number}:{}", at + 1), "holds a NUL byte", "take it out; the file may be cut off or damaged");
    true
}
