//! What a lake's files are, in one word.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::Context;
use async_trait::async_trait;

use crate::digest::sha256_hex;
use crate::pipeline::Inputs;
use crate::port::{PortError, PortErrorKind};

/// A hash over every file's path in the lake, size and time of change, wherever the lake is. One that is not there has a
/// hash too, and so has a folder that cannot be listed: what that means is for the crawl to say.
pub fn fingerprint(lake: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    collect(lake, &mut files)?;
    files.sort();
    let mut listing = String::new();
    for file in files {
        let about = fs::metadata(&file).with_context(|| format!("read {}", file.display()))?;
        let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        let name = file.strip_prefix(lake).unwrap_or(&file).display();
        listing += &format!("{name}|{}|{}\n", about.len(), changed.as_nanos());
    }
    Ok(sha256_hex(listing))
}

/// The files of a lake.
pub struct LakeFiles<'a>(pub &'a Path);

#[async_trait]
impl Inputs for LakeFiles<'_> {
    async fn now(&self) -> Result<String, PortError> {
        fingerprint(self.0).map_err(|error| {
            let subject = format!("`{}`", self.0.display());
            PortError::new(PortErrorKind::Unavailable, "list", subject, format!("{error:#}"))
        })
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            files.push(folder.to_owned());
            return Ok(());
        }
        entries => entries.with_context(|| format!("list {}", folder.display()))?,
    };
    for entry in entries {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false if path.exists() => files.push(path),
            false => {}
        }
    }
    Ok(())
}
