//! A folder as a store.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Expect, Lease, Object, Store};
use crate::digest::sha256_hex;
use crate::port::{PortError, PortErrorKind};

/// Files under a root folder, one object each.
#[derive(Debug, Clone)]
pub struct FsStore {
    root: PathBuf,
}

impl FsStore {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn read(&self, key: &str) -> Result<Option<Object>, PortError> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(Object { tag: sha256_hex(&bytes), bytes })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PortError::io("read", &path, error)),
        }
    }
}

#[async_trait]
impl Store for FsStore {
    async fn get(&self, key: &str) -> Result<Option<Object>, PortError> {
        self.read(key)
    }

    async fn put(&self, key: &str, bytes: &[u8], expect: &Expect) -> Result<String, PortError> {
        let path = self.path(key);
        let folder = path.parent().expect("a key has a folder");
        fs::create_dir_all(folder).map_err(|error| PortError::io("create folder", folder, error))?;
        // Compare and write under one file lock, so that two processes cannot both see the old tag.
        let guard = open_lock(&self.root.join("write.lock"))?;
        guard.lock().map_err(|error| PortError::io("lock", &self.root, error))?;
        let found = self.read(key)?;
        let holds = match expect {
            Expect::Absent => found.is_none(),
            Expect::Tag(tag) => found.is_some_and(|object| object.tag == *tag),
        };
        if !holds {
            let message = "it was changed by somebody else";
            return Err(PortError::new(PortErrorKind::Conflict, "write", format!("`{key}`"), message));
        }
        write_whole(&path, bytes).map_err(|error| PortError::io("write", &path, error))?;
        Ok(sha256_hex(bytes))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, PortError> {
        let (folder, start) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let path = self.root.join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(PortError::io("list", &path, error)),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| PortError::io("list", &path, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(start) && !name.starts_with('.') {
                keys.push(if folder.is_empty() { name } else { format!("{folder}/{name}") });
            }
        }
        keys.sort();
        Ok(keys)
    }

    async fn remove(&self, key: &str) -> Result<(), PortError> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(PortError::io("remove", &path, error)),
            _ => Ok(()),
        }
    }

    async fn lock(&self, holder: &str) -> Result<Lease, PortError> {
        let path = self.root.join("run.lock");
        let file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(PortError::io("lock", &path, error)),
            Err(TryLockError::WouldBlock) => {
                let who = fs::read_to_string(self.root.join("run.holder")).unwrap_or_else(|_| "another process".into());
                let message = format!("held by {}", who.trim());
                return Err(PortError::new(PortErrorKind::Conflict, "take", "the run lock", message));
            }
        }
        let note = self.root.join("run.holder");
        write_whole(&note, holder.as_bytes()).map_err(|error| PortError::io("write", &note, error))?;
        Ok(Lease(Box::new(file)))
    }
}

fn open_lock(path: &Path) -> Result<File, PortError> {
    let folder = path.parent().expect("a lock file has a folder");
    fs::create_dir_all(folder).map_err(|error| PortError::io("create folder", folder, error))?;
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| PortError::io("open", path, error))
}

/// Writes to a temporary file beside `path`, syncs and renames: a reader sees the old file or the new one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, FsStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FsStore::new(folder.path());
        (folder, store)
    }

    #[tokio::test]
    async fn a_write_needs_what_it_expects() {
        let (_folder, store) = store();
        let first = store.put("runs/a.json", b"1", &Expect::Absent).await.unwrap();
        assert_eq!(store.put("runs/a.json", b"2", &Expect::Absent).await.unwrap_err().kind, PortErrorKind::Conflict);
        store.put("runs/a.json", b"2", &Expect::Tag(first.clone())).await.unwrap();
        assert_eq!(
            store.put("runs/a.json", b"3", &Expect::Tag(first)).await.unwrap_err().kind,
            PortErrorKind::Conflict
        );
        assert_eq!(store.get("runs/a.json").await.unwrap().unwrap().bytes, b"2");
        assert_eq!(store.list("runs/").await.unwrap(), ["runs/a.json"]);
    }

    #[tokio::test]
    async fn a_second_lock_is_told_who_holds_the_first() {
        let (_folder, store) = store();
        let lease = store.lock("ann, run 7").await.unwrap();
        let refused = store.lock("bob").await.err().unwrap();
        assert!(refused.to_string().contains("ann, run 7"), "{refused}");
        drop(lease);
        assert!(store.lock("bob").await.is_ok());
    }
}
