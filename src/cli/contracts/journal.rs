//! The edits of one acceptance: all on record before the first is written, so that one that is cut off can be finished.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::super::world::World;
use super::write;
pub use crate::pipeline::Edit;
use crate::problem::{Problem, Problems};
use crate::store::{FsStore, Lease, Store, write_whole};

/// Keeps everybody else from writing contracts and models while it lives: they are the project's, and its targets have a
/// lock each.
pub async fn lock(world: &World, holder: &str) -> anyhow::Result<Lease> {
    let folder = world.settings.root.join(".crawlguard").join("contracts");
    FsStore::new(folder).lock(holder).await.context("contracts and models are being written")
}

/// Writes all edits: first together as the journal, then one by one, then the journal is taken away.
///
/// The caller holds the [`lock()`]. A file that is no longer as the edit was made for is not overwritten: nothing is written.
pub fn carry_out(world: &World, edits: &[Edit]) -> anyhow::Result<()> {
    Problems::or(unfinished(world).into_iter().collect(), ())?;
    for edit in edits {
        if text_of(world, &edit.file)? != edit.before {
            bail!("{} changed meanwhile, so nothing was written; look at it again", edit.file);
        }
    }
    let journal = path(world);
    let folder = journal.parent().expect("the journal lies in a folder");
    fs::create_dir_all(folder).with_context(|| format!("create folder {}", folder.display()))?;
    write_whole(&journal, &serde_json::to_vec(edits)?).with_context(|| format!("write {}", journal.display()))?;
    apply(world, edits)
}

/// True if an acceptance has begun and not ended.
pub fn is_there(world: &World) -> bool {
    path(world).exists()
}

/// Finishes the acceptance that was cut off. A file that somebody edited since is not overwritten: nothing is written.
pub fn finish(world: &World) -> anyhow::Result<()> {
    let journal = path(world);
    let bytes = fs::read(&journal).with_context(|| format!("read {}", journal.display()))?;
    let edits: Vec<Edit> = serde_json::from_slice(&bytes).with_context(|| format!("read {}", journal.display()))?;
    let mut edited = Vec::new();
    for edit in &edits {
        let found = text_of(world, &edit.file)?;
        if found != edit.before && found != edit.after {
            edited.push(edited_since(world, &edit.file));
        }
    }
    Problems::or(edited, ())?;
    apply(world, &edits)
}

/// The problem of reading a project while half of an acceptance is written.
pub fn unfinished(world: &World) -> Option<Problem> {
    is_there(world).then(|| {
        let message = "an acceptance is not finished, so contracts and models are half of one";
        Problem::new(shown(world), "", message, format!("run `{}`, which finishes it", update(world)))
    })
}

/// A project file's text, if it is there.
pub fn text_of(world: &World, file: &str) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(world.settings.root.join(file)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {file}")),
    }
}

fn edited_since(world: &World, file: &str) -> Problem {
    let message = "was edited after an acceptance that writes it was cut off";
    let help = format!(
        "to let the acceptance finish, take the edit back and run `{}`; to keep every file as it stands, remove {} first",
        update(world),
        shown(world)
    );
    Problem::new(file, "", message, help)
}

fn apply(world: &World, edits: &[Edit]) -> anyhow::Result<()> {
    for edit in edits {
        let path = world.settings.root.join(&edit.file);
        if let Some(after) = &edit.after {
            write(world, &edit.file, after)?;
        } else if path.exists() {
            let aside = world.settings.root.join(aside(world, &edit.file));
            fs::rename(&path, &aside).with_context(|| format!("move {} aside", path.display()))?;
        }
    }
    let journal = path(world);
    fs::remove_file(&journal).with_context(|| format!("remove {}", journal.display()))
}

/// Where a file is kept that something else takes the place of: `FILE.bak`, which nothing reads, or the next that is free.
pub fn aside(world: &World, file: &str) -> String {
    let numbered = (2..).map(|number| format!("{file}.{number}.bak"));
    let mut names = std::iter::once(format!("{file}.bak")).chain(numbered);
    names.find(|name| !world.settings.root.join(name).exists()).expect("numbers do not end")
}

fn update(world: &World) -> String {
    world.commands.line("contracts update")
}

/// The journal as the user would type it.
fn shown(world: &World) -> String {
    let path = path(world);
    path.strip_prefix(&world.settings.root).unwrap_or(&path).display().to_string()
}

fn path(world: &World) -> PathBuf {
    // Contracts and models are the project's, whichever target an acceptance was for.
    world.settings.root.join(".crawlguard").join("update.json")
}
