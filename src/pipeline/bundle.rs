//! A project as one object of a store: what a Lambda runs by.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::project::listing;
use super::{Project, RunError, stored};
use crate::config::{FILE, Settings, Target};
use crate::digest::sha256_hex;
use crate::problem::{Problem, Problems};
use crate::store::Store;

/// The key of a deployed project.
pub const KEY: &str = "project.json";
const SCHEMA_VERSION: u32 = 1;
const EARLIER: &str = "put an earlier version of the object back";

/// `crawlguard.toml`, contracts, models and alert templates, as one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    pub schema_version: u32,
    /// Hash of the files.
    pub revision: String,
    pub pushed: Pushed,
    /// Path relative to the project → text.
    pub files: BTreeMap<String, String>,
}

/// Who put a revision there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pushed {
    pub who: String,
    /// `2026-01-02T03:04:05Z`
    pub at: String,
    pub why: Option<String>,
}

impl Bundle {
    pub fn new(files: BTreeMap<String, String>, pushed: Pushed) -> Self {
        let text = serde_json::to_vec(&files).expect("texts are JSON");
        Self { schema_version: SCHEMA_VERSION, revision: sha256_hex(text), pushed, files }
    }

    /// The project in a folder, every file that a run reads.
    pub fn collect(settings: &Settings, pushed: Pushed) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut files = BTreeMap::new();
        let config = &settings.config;
        let folders = [&config.contracts, &config.sql, &config.alerts].map(|folder| settings.root.join(folder));
        let mut paths: Vec<_> = folders.iter().flat_map(|folder| listing(folder, &mut problems)).collect();
        paths.retain(|path| is_deployed(path));
        paths.push(settings.root.join(FILE));
        for path in paths {
            let name = plain(path.strip_prefix(&settings.root).unwrap_or(&path));
            if !is_inside(&name) {
                let help = "Move it into the project's folder, and mend the folder's path in crawlguard.toml.";
                problems.push(Problem::new(name, "", "lies outside of the project's folder", help));
                continue;
            }
            match fs::read_to_string(&path) {
                Ok(text) => drop(files.insert(name, text)),
                Err(error) => {
                    problems.push(Problem::new(name, "", error.to_string(), "Make it a readable UTF-8 file."))
                }
            }
        }
        Problems::or(problems, ())?;
        Ok(Self::new(files, pushed))
    }

    /// Writes the files under `folder`, which is the project's from then on.
    pub fn unpack(&self, folder: &Path) -> Result<(), Problems> {
        let mut problems = Vec::new();
        for (name, text) in &self.files {
            if let Err(message) = unpack_one(folder, name, text) {
                problems.push(Problem::new(name, "", message, "Push the project again."));
            }
        }
        Problems::or(problems, ())
    }

    /// That a run on `target` could read it: everything that is wrong with its files.
    pub fn check(&self, target: &str) -> Result<(), Problems> {
        if !self.files.contains_key(FILE) {
            return Err(Problem::new(FILE, "", "is not among the files", "Deploy the whole project.").into());
        }
        let folder = tempfile::tempdir().map_err(|error| {
            let message = format!("the files cannot be written down to be checked: {error}");
            Problem::new("", "", message, "")
        })?;
        self.unpack(folder.path())?;
        let settings = Settings::read(folder.path())?;
        if let (name, Target::Local(_)) = settings.target(Some(target))? {
            let message = format!("target `{name}` is not on AWS");
            return Err(Problem::new(FILE, format!("targets.{name}"), message, "Name one of kind \"aws\".").into());
        }
        Project::read(settings).map(drop)
    }
}

/// A path as files are named by: `./sql/a.sql` is `sql/a.sql`.
pub(super) fn plain(path: &Path) -> String {
    path.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>().display().to_string()
}

fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

fn unpack_one(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    if !is_inside(name) {
        return Err("the path leads out of the project".into());
    }
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent).and_then(|()| fs::write(&path, text)).map_err(|error| error.to_string())
}

/// All but hidden files and what an acceptance moved out of the way.
fn is_deployed(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !is_hidden && path.extension().is_none_or(|extension| extension != "bak")
}

/// The deployed project and the tag of its object; `None` if there is none yet.
pub async fn deployed(store: &dyn Store) -> Result<Option<(Bundle, String)>, RunError> {
    let read = stored::read::<Bundle>(store, KEY).await;
    let Some((bundle, tag)) = read.map_err(|error| error.advised(EARLIER))? else { return Ok(None) };
    stored::of_version(store, KEY, bundle.schema_version, SCHEMA_VERSION)?;
    let whole = Bundle::new(bundle.files.clone(), bundle.pushed.clone());
    if whole.revision != bundle.revision {
        let message = "its files are not those of its revision, so it was changed by hand";
        return Err(RunError::record(&store.place(KEY), message).advised(EARLIER));
    }
    Ok(Some((bundle, tag)))
}
