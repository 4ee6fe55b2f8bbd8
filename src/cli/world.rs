//! The outside world of a command: settings, target, and the ports that they name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use jiff::Timestamp;

use super::args::Globals;
use super::{contracts, crawl, who};
use crate::catalog::{Catalog, FilesCatalog};
#[cfg(feature = "aws")]
use crate::cloud::Cloud;
use crate::config::{Local, Settings, Target};
use crate::contract::Contract;
use crate::engine::Engine;
use crate::pipeline::{Commands, Project, Request};
use crate::plan::slot;
use crate::problem::{Problem, Problems, shell_word};
use crate::store::{FsStore, Store};

/// A target, opened.
pub struct World {
    pub settings: Settings,
    /// The target's name.
    pub target: String,
    pub catalog: Arc<dyn Catalog>,
    pub store: Arc<dyn Store>,
    /// For whoever typed this one.
    pub commands: Commands,
    /// For whoever reads the alerts of a target on AWS, in the project's folder on any machine.
    pub shared: Commands,
    pub place: Place,
}

/// Where a target is.
pub enum Place {
    Here(Box<Here>),
    #[cfg(feature = "aws")]
    Cloud(Box<Cloud>),
}

/// What is known of the last crawl.
pub struct Crawled {
    pub at: Option<Timestamp>,
    /// What its crawler is set to leave unseen.
    pub notes: Vec<Problem>,
}

/// A local target's folders.
pub struct Here {
    pub local: Local,
    pub catalog: Arc<FilesCatalog>,
    pub lake: PathBuf,
    /// Catalog, run records and lock.
    pub state: PathBuf,
    /// Where published and staging tables' files go.
    #[cfg_attr(not(feature = "embedded"), expect(dead_code, reason = "only the embedded engine writes there"))]
    pub warehouse: PathBuf,
}

impl World {
    pub async fn open(globals: &Globals) -> anyhow::Result<Self> {
        let settings = match &globals.project {
            Some(folder) => Settings::read(&absolute(folder))?,
            None => Settings::find(&absolute(Path::new(".")))?,
        };
        let (name, target) = settings.target(globals.target.as_deref())?;
        let (name, target) = (name.to_owned(), target.clone());
        let commands = commands_of(globals, &settings.root);
        match target {
            Target::Local(local) => Self::here(settings, name, local, commands),
            Target::Aws(aws) => Self::cloud(settings, name, aws, commands).await,
        }
    }

    fn here(settings: Settings, target: String, local: Local, commands: Commands) -> anyhow::Result<Self> {
        let state = settings.root.join(&local.state);
        let lake = settings.root.join(&local.lake);
        // Without the `..` of a lake beside the project, as people know it.
        let (lake, warehouse) = (real(&lake), state.join("warehouse"));
        apart(&settings.root, &lake, &state)?;
        let catalog = Arc::new(FilesCatalog::new(state.join("catalog"), &local.database).over(&lake));
        let store = Arc::new(FsStore::new(&state));
        let place = Place::Here(Box::new(Here { local, catalog: Arc::clone(&catalog), lake, state, warehouse }));
        Ok(Self { settings, target, catalog, store, commands, shared: Commands::default(), place })
    }

    #[cfg(feature = "aws")]
    async fn cloud(
        settings: Settings,
        target: String,
        aws: crate::config::Aws,
        commands: Commands,
    ) -> anyhow::Result<Self> {
        let cloud = Cloud::open(aws).await;
        let (catalog, store) = (Arc::new(cloud.catalog()), Arc::new(cloud.store()));
        let shared = Commands { globals: vec!["--target".into(), shell_word(&target)], ..Commands::default() };
        Ok(Self { settings, target, catalog, store, commands, shared, place: Place::Cloud(Box::new(cloud)) })
    }

    #[cfg(not(feature = "aws"))]
    async fn cloud(_: Settings, target: String, _: crate::config::Aws, _: Commands) -> anyhow::Result<Self> {
        bail!("target `{target}` is on AWS, and this crawlguard was built without it; build it with --features aws")
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

    /// Who acts, for logs and locks: on AWS the caller's ARN, else whom git would name. Every command that writes asks, so
    /// this is where credentials of another account than the target's are refused.
    pub async fn who(&self) -> anyhow::Result<String> {
        match &self.place {
            Place::Here(_) => Ok(who::who(&self.settings.root)),
            #[cfg(feature = "aws")]
            Place::Cloud(cloud) => {
                super::cloud::reachable(self, cloud)?;
                Ok(cloud.caller().await?)
            }
        }
    }

    /// That the target may be asked: for commands that read alone, which need not know who acts.
    pub async fn admit(&self) -> anyhow::Result<()> {
        match &self.place {
            Place::Here(_) => Ok(()),
            #[cfg(feature = "aws")]
            Place::Cloud(cloud) => super::cloud::admit(self, cloud).await,
        }
    }

    /// True if runs go by a project that was deployed, and not by the one in this folder.
    pub fn is_deployed(&self) -> bool {
        !matches!(self.place, Place::Here(_))
    }

    fn target(&self) -> &Target {
        &self.settings.config.targets[&self.target]
    }

    /// Prefix of the tables that a crawl makes.
    pub fn raw_prefix(&self) -> &str {
        self.target().raw_prefix()
    }

    /// Published versions kept of each table.
    pub fn keep_versions(&self) -> usize {
        self.target().keep_versions()
    }

    /// What every run of this target is asked with; its slot and inputs are the caller's.
    pub fn request(&self) -> Request<'_> {
        Request {
            target: &self.target,
            raw_prefix: self.raw_prefix(),
            keep_versions: self.keep_versions(),
            remind_after_days: self.target().remind_after_days(),
            slot: "",
            inputs: "",
            again: false,
            commands: if self.is_deployed() { &self.shared } else { &self.commands },
        }
    }

    /// The folders of a local target, for commands that only one has.
    pub fn folders(&self) -> anyhow::Result<&Here> {
        match &self.place {
            Place::Here(here) => Ok(here),
            #[cfg(feature = "aws")]
            Place::Cloud(_) => bail!("target `{}` is on AWS, and this command works on a local one", self.target),
        }
    }

    /// The engine that runs the target's SQL.
    pub fn engine(&self) -> anyhow::Result<Arc<dyn Engine>> {
        match &self.place {
            #[cfg(feature = "embedded")]
            Place::Here(here) => {
                let catalog = Arc::clone(&here.catalog);
                Ok(Arc::new(crate::engine::duckdb::DuckDbEngine::new(catalog, here.warehouse.clone())?))
            }
            #[cfg(not(feature = "embedded"))]
            Place::Here(_) => {
                bail!("this crawlguard was built without the embedded engine; build it with --features embedded")
            }
            #[cfg(feature = "aws")]
            Place::Cloud(cloud) => Ok(Arc::new(cloud.engine())),
        }
    }

    /// When the catalog was last crawled, if that is known. Refused while it says nothing of the lake: it never was, a crawl
    /// is writing it, or the last crawl failed.
    pub async fn crawled_at(&self) -> anyhow::Result<Crawled> {
        match &self.place {
            Place::Here(here) => Ok(Crawled { at: self.crawled_here_at(here).await?, notes: Vec::new() }),
            #[cfg(feature = "aws")]
            Place::Cloud(_) => super::cloud::crawled_at(self).await,
        }
    }

    async fn crawled_here_at(&self, here: &Here) -> anyhow::Result<Option<Timestamp>> {
        let last = crawl::last(here);
        if last.is_none() && self.catalog.tables(self.raw_prefix()).await?.is_empty() {
            let help = format!("run `{}` first", self.commands.line("crawl"));
            let catalog = here.state.join("catalog").display().to_string();
            return Err(Problems::from(Problem::new(catalog, "", "nothing has been crawled yet", help)).into());
        }
        Ok(last)
    }
}

/// That a project and its state lie outside the lake, and the lake outside the state: a crawl would read what runs write, and
/// runs would write among what people deliver.
pub fn apart(root: &Path, lake: &Path, state: &Path) -> Result<(), Problems> {
    let (root, lake, state) = (real(root), real(lake), real(state));
    let (message, help) = if root.starts_with(&lake) {
        (
            "the project's folder lies in the lake",
            "make the project beside the lake, or name the folder that holds only sources",
        )
    } else if state.starts_with(&lake) {
        ("the state's folder lies in the lake", "set `state` in crawlguard.toml to a folder outside the lake")
    } else if lake.starts_with(&state) {
        (
            "the lake lies in the state's folder",
            "set `lake` or `state` in crawlguard.toml so that neither holds the other",
        )
    } else {
        return Ok(());
    };
    Err(Problem::new(lake.display().to_string(), "", message, help).into())
}

/// A path without links and `..`, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|there| Some((there, there.canonicalize().ok()?)));
    let Some((there, real)) = there else { return path.to_owned() };
    let rest = path.strip_prefix(there).expect("it is an ancestor");
    if rest.as_os_str().is_empty() { real } else { real.join(rest) }
}

/// How the user calls this program, as far as the words typed tell.
pub fn commands(globals: &Globals) -> Commands {
    commands_of(globals, &globals.project.as_deref().map(absolute).unwrap_or_default())
}

/// The words that a command printed for later must repeat: the program, and the global options.
fn commands_of(globals: &Globals, root: &Path) -> Commands {
    let mut words = Vec::new();
    if globals.project.is_some() {
        words.extend(["--project".to_owned(), shell_word(&root.display().to_string())]);
    }
    if let Some(target) = &globals.target {
        words.extend(["--target".to_owned(), shell_word(target)]);
    }
    Commands { program: program(), globals: words }
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
