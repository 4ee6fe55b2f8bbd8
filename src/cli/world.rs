//! The outside world of a command: settings, target, and the ports that they name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::args::Globals;
use super::{contracts, who};
use crate::catalog::FilesCatalog;
use crate::config::{Local, Settings, Target};
use crate::contract::Contract;
use crate::pipeline::{Commands, Project};
use crate::problem::{Problems, shell_word};
use crate::store::FsStore;

/// A local target, opened.
pub struct World {
    pub settings: Settings,
    pub target: String,
    pub local: Local,
    pub catalog: Arc<FilesCatalog>,
    pub store: FsStore,
    pub commands: Commands,
}

impl World {
    pub fn open(globals: &Globals) -> Result<Self, Problems> {
        let settings = match &globals.project {
            Some(folder) => Settings::read(&absolute(folder))?,
            None => Settings::find(&absolute(Path::new(".")))?,
        };
        Self::of(settings, globals)
    }

    fn of(settings: Settings, globals: &Globals) -> Result<Self, Problems> {
        let (target, Target::Local(local)) = settings.target(globals.target.as_deref())?;
        let (target, local) = (target.to_owned(), local.clone());
        let state = settings.root.join(&local.state);
        let catalog = Arc::new(FilesCatalog::new(state.join("catalog"), &local.database));
        let store = FsStore::new(&state);
        let commands = Commands { globals: repeated(globals, &settings), ..Commands::default() };
        Ok(Self { settings, target, local, catalog, store, commands })
    }

    /// The project's files; refused while half of an acceptance is written.
    pub fn project(&self) -> Result<Project, Problems> {
        self.whole()?;
        Project::read(self.settings.clone())
    }

    /// The project's contracts, whatever its models say; refused like [`World::project`].
    pub fn contracts(&self) -> Result<Vec<Contract>, Problems> {
        self.whole()?;
        Project::contracts(&self.settings)
    }

    /// That no acceptance is half written.
    fn whole(&self) -> Result<(), Problems> {
        Problems::or(contracts::unfinished(self).into_iter().collect(), ())
    }

    /// Who is at the keyboard, for logs and locks.
    pub fn who(&self) -> String {
        who::who(&self.settings.root)
    }

    pub fn lake(&self) -> PathBuf {
        self.settings.root.join(&self.local.lake)
    }

    /// Where published and staging tables' files go.
    #[cfg(feature = "embedded")]
    pub fn warehouse(&self) -> PathBuf {
        self.settings.root.join(&self.local.state).join("warehouse")
    }
}

/// The global options that a command printed for later must repeat.
fn repeated(globals: &Globals, settings: &Settings) -> Vec<String> {
    let mut words = Vec::new();
    if globals.project.is_some() {
        words.extend(["--project".to_owned(), shell_word(&settings.root.display().to_string())]);
    }
    if let Some(target) = &globals.target {
        words.extend(["--target".to_owned(), shell_word(target)]);
    }
    words
}

/// How this program was called, for commands that are to work where the user stands.
pub fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let called = called.to_string_lossy();
    if called.contains(std::path::MAIN_SEPARATOR) { shell_word(&called) } else { "crawlguard".into() }
}

pub fn absolute(path: &Path) -> PathBuf {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    full.components().collect()
}

/// Now, to the second: `2026-01-02T03:04:05Z`.
pub fn now() -> String {
    slot(Timestamp::now())
}

/// A moment as a slot is written.
pub fn slot(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
