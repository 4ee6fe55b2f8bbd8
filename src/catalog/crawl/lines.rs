//! A text file line by line, as Athena splits it: on `\n` only, whatever quotes say.

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

/// Reads lines without their ends and without a byte order mark.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    /// The number of the line read last, from 1.
    number: u64,
}

impl Lines {
    pub(super) fn new(reader: Box<dyn BufRead>) -> Self {
        Self { reader, line: Vec::new(), number: 0 }
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
                let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
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

/// True if a `\r` stands inside a line: the file's lines end in it alone.
pub(super) fn has_lone_cr(line: &[u8]) -> bool {
    line.contains(&b'\r')
}

pub(super) fn report_lone_cr(line: u64, log: &mut Log<'_>) {
    log.at_line(line, "a lone carriage return ends a line", "end lines in `\\n`: Athena splits there only");
}
