//! The header lines of a table's newest files, and the quotes in their first rows, by ranged reads: what a crawl and a
//! positional SerDe do not show.

use std::io::Read;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::Object;
use flate2::read::MultiGzDecoder;

use crate::aws::{Call, S3Folder, code};
use crate::catalog::quotes::{self, Quoted};
use crate::catalog::{header, notes};
use crate::port::{PortError, PortErrorKind, at_once};
use crate::problem::Problem;
use crate::schema::{MIXED_HEADERS, NOTES, QUOTED_VALUES, Table, UNREADABLE};

const LIST: Call = Call::new("list files", "s3:ListBucket");
const READ: Call = Call::new("read header", "s3:GetObject");

/// What is read of a file for its header, and what of it is looked at once unpacked.
const HEAD: usize = 16 * 1024;
/// The same where quotes are looked for, which may stand in any row: no call more.
const ROWS: usize = 64 * 1024;
const OBJECTS_A_PAGE: usize = 1000;

/// Looks at headers, so many files a table.
#[derive(Debug, Clone)]
pub struct Probe {
    pub client: Client,
    /// The newest files of a table whose header is read.
    pub files: usize,
    /// The most files that a table may have for its newest ones to be found.
    pub listed: usize,
}

/// What is to be done where a source needs its quotes.
const OPEN_CSV: &str = "read them by a custom CSV classifier (`Serde` OpenCSVSerDe, `QuoteSymbol`, `ContainsHeader`) in a new \
                        crawler: files that one has read stay as it read them";

/// What a table's newest files show.
#[derive(Default)]
struct Seen {
    /// Those whose header is not the table's, oldest first, as the local crawler records them.
    others: Vec<serde_json::Value>,
    /// That the newest of them to do so holds quotes: where its rows do, and what there is to say.
    quoted: Option<(Option<String>, Problem)>,
}

/// A file among a table's newest.
struct Newest {
    key: String,
    size: u64,
    age: (i64, u32),
    is_archived: bool,
}

/// Why a table's headers are not known: for the reader of a finding, or for whoever may try again.
enum Failure {
    Why(String),
    Port(PortError),
}

impl Probe {
    /// Marks the tables whose files have another header, or one that cannot be read, or quotes that its SerDe does not know. An
    /// error that passes is returned: to ask again is better than to alert.
    pub async fn mark(&self, tables: Vec<Table>) -> Result<Vec<Table>, PortError> {
        let (probed, mut marked): (Vec<_>, Vec<_>) = tables.into_iter().partition(is_probed);
        for looked in at_once(probed.into_iter().map(|table| self.marked(table))).await {
            marked.push(looked?);
        }
        marked.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(marked)
    }

    async fn marked(&self, mut table: Table) -> Result<Table, PortError> {
        match self.looked_at(&table).await {
            Ok(Seen { others, quoted }) => {
                if !others.is_empty() {
                    table.parameters.insert(MIXED_HEADERS.into(), serde_json::Value::Array(others).to_string());
                }
                if let Some((place, note)) = quoted {
                    table.parameters.extend(place.map(|place| (QUOTED_VALUES.into(), place)));
                    let all: Vec<Problem> = notes(std::slice::from_ref(&table)).into_iter().chain([note]).collect();
                    table.parameters.insert(NOTES.into(), serde_json::json!(all).to_string());
                }
            }
            Err(Failure::Why(why)) => {
                table.parameters.insert(UNREADABLE.into(), why);
            }
            Err(Failure::Port(error)) => return Err(error),
        }
        Ok(table)
    }

    /// What the newest files show that the catalog does not.
    async fn looked_at(&self, table: &Table) -> Result<Seen, Failure> {
        let location = table.location.as_deref().unwrap_or_default();
        let folder = S3Folder::parse(location).ok_or_else(|| {
            Failure::Why(format!("its location `{location}` is no S3 folder, so no header can be read"))
        })?;
        let mut seen = Seen::default();
        for file in self.newest(&folder).await? {
            let uri = format!("s3://{}/{}", folder.bucket, file.key);
            let Some((head, whole)) = self.head(&folder.bucket, &file, &uri, looked_at(table)).await? else { continue };
            let other = header::other(table, &head, whole).map_err(|why| Failure::Why(format!("`{uri}`: {why}")))?;
            let name = file.key.strip_prefix(&folder.prefix).unwrap_or(&file.key);
            seen.others.extend(other.map(|header| serde_json::json!({ "file": name, "header": header })));
            if quotes::are_unknown_to(table) {
                match quotes::found(table, &head, whole) {
                    Quoted::No => {}
                    Quoted::Kept(line) => {
                        let is_row = usize::try_from(table.storage.skip_header_lines).is_ok_and(|header| line > header);
                        let place = is_row.then(|| format!("{name}, line {line}"));
                        let before = seen.quoted.take().and_then(|(place, _)| place);
                        seen.quoted = Some((place.or(before), kept_quotes(&uri, line)));
                    }
                    Quoted::Misread(line, why) => {
                        let why = format!(
                            "`{uri}`, line {line}: {why}\n  help: write the cells without quotes, or {OPEN_CSV}"
                        );
                        return Err(Failure::Why(why));
                    }
                }
            }
        }
        Ok(seen)
    }

    /// The newest files that Athena reads under a location, oldest first.
    async fn newest(&self, folder: &S3Folder) -> Result<Vec<Newest>, Failure> {
        let request = self.client.list_objects_v2().bucket(&folder.bucket).prefix(&folder.prefix);
        let mut pages = request.into_paginator().send();
        let (mut newest, mut listed) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| settled(LIST.failed(format!("`{}`", folder.uri("")), error)))?;
            listed += page.contents().len();
            newest.extend(page.contents().iter().filter_map(|object| Newest::of(object, &folder.prefix)));
            newest.sort_by(|a, b| (b.age, &b.key).cmp(&(a.age, &a.key)));
            newest.truncate(self.files);
            if listed >= self.listed && page.is_truncated().unwrap_or_default() {
                let help = "move old files to a table of their own, or raise `header_files_listed`";
                let why =
                    format!("`{}` holds more than {listed} files, so the newest are not known; {help}", folder.uri(""));
                return Err(Failure::Why(why));
            }
        }
        newest.reverse();
        Ok(newest)
    }

    /// A file's first bytes, unpacked, and whether they are all; `None` if it is gone by now.
    async fn head(
        &self,
        bucket: &str,
        file: &Newest,
        uri: &str,
        most: usize,
    ) -> Result<Option<(Vec<u8>, bool)>, Failure> {
        if file.is_archived {
            return Err(Failure::Why(format!(
                "`{uri}` is archived (Glacier); restore it, or move it out of the table"
            )));
        }
        let request = self.client.get_object().bucket(bucket).key(&file.key).range(format!("bytes=0-{}", most - 1));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if code(&error) == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(settled(READ.failed(format!("`{uri}`"), error))),
        };
        let lost = |error: aws_sdk_s3::primitives::ByteStreamError| {
            let message = error.to_string();
            Failure::Port(PortError::new(PortErrorKind::Unavailable, READ.operation, format!("`{uri}`"), message))
        };
        let bytes = answer.body.collect().await.map_err(lost)?.to_vec();
        let whole = file.size <= bytes.len() as u64;
        unpacked(&file.key, bytes, whole, most).map(Some).map_err(|why| Failure::Why(format!("`{uri}`: {why}")))
    }
}

impl Newest {
    /// A file that Athena reads: not empty, and no part of its path hidden.
    /// <https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html>
    fn of(object: &Object, prefix: &str) -> Option<Self> {
        let key = object.key()?;
        let path = key.strip_prefix(prefix)?;
        let size = u64::try_from(object.size()?).ok().filter(|size| *size > 0)?;
        let is_hidden = path.split('/').any(|part| part.starts_with(['_', '.']));
        let age = object.last_modified().map(|time| (time.secs(), time.subsec_nanos())).unwrap_or_default();
        let class = object.storage_class().map(|class| class.as_str()).unwrap_or_default();
        let is_archived = matches!(class, "GLACIER" | "DEEP_ARCHIVE");
        (!is_hidden).then(|| Self { key: key.to_owned(), size, age, is_archived })
    }
}

/// Whether rows can be misread that neither crawl nor SerDe would tell of.
fn is_probed(table: &Table) -> bool {
    header::is_expected(table) || quotes::are_unknown_to(table)
}

/// How much is read of each of a table's files.
fn looked_at(table: &Table) -> usize {
    if quotes::are_unknown_to(table) { ROWS } else { HEAD }
}

fn kept_quotes(uri: &str, line: usize) -> Problem {
    let told = "cells stand in quotes, and values keep theirs: the table's LazySimpleSerDe knows no quotes";
    Problem::new(uri, format!("line {line}"), told, OPEN_CSV)
}

/// What asking again would not change is for a finding to say.
fn settled(error: PortError) -> Failure {
    match error.kind {
        PortErrorKind::Denied | PortErrorKind::NotFound | PortErrorKind::Invalid => Failure::Why(error.to_string()),
        _ => Failure::Port(error),
    }
}

/// Athena goes by the name: `.gz` is unpacked. Of a file that is cut off, what can be unpacked.
fn unpacked(key: &str, bytes: Vec<u8>, whole: bool, most: usize) -> Result<(Vec<u8>, bool), String> {
    const OTHER: [&str; 6] = [".bz2", ".deflate", ".lz4", ".lzo", ".snappy", ".zst"];
    let name = key.to_ascii_lowercase();
    if let Some(packing) = OTHER.iter().find(|packing| name.ends_with(*packing)) {
        return Err(format!("the header of a `{packing}` file cannot be read here; pack it with gzip, or not at all"));
    }
    match (name.ends_with(".gz"), bytes.starts_with(b"\x1f\x8b")) {
        (false, false) => Ok((bytes, whole)),
        (true, true) => {
            let mut text = vec![0; most];
            let (mut decoder, mut filled) = (MultiGzDecoder::new(bytes.as_slice()), 0);
            // The end of the bytes is an error to the decoder; what it gave before is good.
            let ended = loop {
                match decoder.read(&mut text[filled..]) {
                    Ok(0) => break filled < most,
                    Ok(read) => filled += read,
                    Err(_) => break false,
                }
            };
            text.truncate(filled);
            Ok((text, whole && ended))
        }
        (false, true) => Err("it holds gzip data and is not named `.gz`, which Athena goes by".into()),
        (true, false) => Err("it is named `.gz` and holds no gzip data".into()),
    }
}

/// The most objects that are listed, in whole pages.
pub fn whole_pages(files: usize) -> usize {
    files.div_ceil(OBJECTS_A_PAGE) * OBJECTS_A_PAGE
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_packed_head_is_read_as_far_as_it_goes() {
        let text =
            "id,amount\n".to_owned() + &(0..40_000).map(|row| format!("{row},{}\n", row * 7919)).collect::<String>();
        let packed = gzip(&text);
        let (head, whole) = unpacked("a.csv.GZ", packed[..HEAD].to_vec(), false, HEAD).unwrap();
        assert_eq!((head.as_slice(), whole), (&text.as_bytes()[..HEAD], false));
        let (head, whole) = unpacked("a.csv.gz", gzip("id,amount\n1,2\n"), true, HEAD).unwrap();
        assert_eq!((head.as_slice(), whole), (b"id,amount\n1,2\n".as_slice(), true));
        // Cut off in the middle of the first block: what came is known, and that it is not all.
        let cut = gzip("id,amount\n1,2\n");
        assert!(!unpacked("a.csv.gz", cut[..cut.len() / 2].to_vec(), true, HEAD).unwrap().1);
    }

    #[test]
    fn a_name_that_lies_about_the_packing_is_unreadable() {
        assert!(unpacked("a.csv", gzip("id\n"), true, HEAD).unwrap_err().contains("not named `.gz`"));
        assert!(unpacked("a.csv.gz", b"id\n".to_vec(), true, HEAD).unwrap_err().contains("no gzip data"));
        assert!(unpacked("a.csv.bz2", b"BZh9".to_vec(), true, HEAD).unwrap_err().contains("`.bz2`"));
        assert!(unpacked("a.csv", b"id\n".to_vec(), true, HEAD).is_ok());
    }
}
