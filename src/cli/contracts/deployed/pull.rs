//! `contracts pull`: brings what is deployed into this folder, and loses nothing of it.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::super::super::args::Globals;
use super::super::super::world::World;
use super::super::super::{exit, print, say};
use super::super::journal::{self, Edit};
use super::super::update::Ask;
use super::{accepted_here, base, diff, here, of, on_aws, origin};
use crate::pipeline::bundle::{Bundle, Pushed};
use crate::pipeline::deploy::{self, Merge};
use crate::problem::{Problem, Problems};

/// Brings the deployed project into this folder. What was changed here alone stays; what both sides changed is asked about,
/// and this folder's text is kept beside the deployed one. With `overwrite` what was changed here alone is asked about, too.
pub async fn pull(globals: &Globals, world: &World, overwrite: bool, ask: Option<Ask<'_>>) -> anyhow::Result<ExitCode> {
    on_aws(world)?;
    let who = world.who().await?;
    let deployed = of(world).await?;
    let deployed = deployed.with_context(|| {
        format!("nothing is deployed on target `{}`; run `{}`", world.target, world.commands.line("contracts push"))
    })?;
    let here = here(world, Pushed::default())?;
    let merge = asked(deploy::merge(base::of(world).as_ref(), &here, &deployed), overwrite);
    if !overwrite {
        Problems::or(undone(world, &deployed, &here, &merge), ()).inspect_err(|_| show(globals, &merge))?;
    }
    if let Some(ask) = ask.filter(|_| !merge.conflicts.is_empty())
        && !ask(&shown(&merge))?
    {
        return Err(unresolved(world, &merge).into());
    }
    let pulled = Pulled::of(world, merge);
    let _files = journal::lock(world, &who).await?;
    if !pulled.edits.is_empty() {
        journal::carry_out(world, &pulled.edits)?;
    }
    base::keep(world, &deployed)?;
    print(globals, || pulled.json(&deployed), || pulled.words(world, &deployed))?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// What a pull does, and leaves.
struct Pulled {
    edits: Vec<Edit>,
    /// Files changed here alone.
    kept: Vec<String>,
    /// Files that were changed here and no longer are, and where the text is that they had.
    aside: Vec<(String, String)>,
}

impl Pulled {
    fn of(world: &World, merge: Merge) -> Self {
        let aside = |edit: &Edit| edit.before.as_ref().map(|_| (edit.file.clone(), journal::aside(world, &edit.file)));
        let aside: Vec<_> = merge.conflicts.iter().filter_map(aside).collect();
        let copy = |edit: &Edit| {
            // One that goes is moved aside by itself.
            let (_, file) = aside.iter().find(|(file, _)| *file == edit.file && edit.after.is_some())?;
            Some(Edit { file: file.clone(), before: None, after: edit.before.clone() })
        };
        let copies: Vec<_> = merge.conflicts.iter().filter_map(copy).collect();
        let edits = [copies, merge.taken, merge.conflicts].concat();
        Self { edits, kept: merge.kept.into_iter().map(|edit| edit.file).collect(), aside }
    }

    /// What was written but for copies.
    fn files(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter().filter(|edit| self.aside.iter().all(|(_, copy)| *copy != edit.file))
    }

    fn json(&self, deployed: &Bundle) -> serde_json::Value {
        let files: Vec<_> = self.files().map(|edit| edit.file.as_str()).collect();
        let aside: serde_json::Map<_, _> =
            self.aside.iter().map(|(file, copy)| (file.clone(), copy.as_str().into())).collect();
        json!({"schema_version": 1, "revision": deployed.revision, "pushed": deployed.pushed, "files": files,
               "kept": self.kept, "set_aside": aside})
    }

    fn words(&self, world: &World, deployed: &Bundle) -> String {
        let line = |edit: &Edit| match edit.after {
            Some(_) => format!("wrote {}\n", edit.file),
            None => format!("removed {}\n", edit.file),
        };
        let mut text: String = self.files().map(line).collect();
        text.extend(
            self.aside
                .iter()
                .map(|(file, copy)| format!("kept as {copy}, which nothing reads: {file} of this folder\n")),
        );
        text.extend(self.kept.iter().map(|file| format!("left {file}, which was changed here alone\n")));
        let push = world.commands.line("contracts push");
        text + &match (self.kept.is_empty(), self.edits.is_empty()) {
            (true, true) => "this folder is what is deployed\n".to_owned(),
            (true, false) => format!("this folder is now {}\n", origin(deployed)),
            (false, _) => format!("the rest is {}\n`{push}` deploys what was changed here\n", origin(deployed)),
        }
    }
}

/// What is to be asked about: with `overwrite` every file that was changed here.
fn asked(merge: Merge, overwrite: bool) -> Merge {
    let Merge { taken, mut kept, mut conflicts } = merge;
    if overwrite {
        conflicts.append(&mut kept);
        conflicts.sort_by(|a, b| a.file.cmp(&b.file));
    }
    Merge { taken, kept, conflicts }
}

/// Why a pull is refused: the deployed text of a file would undo what was accepted here.
fn undone(world: &World, deployed: &Bundle, here: &Bundle, merge: &Merge) -> Vec<Problem> {
    let count = deploy::missing(here.log(), deployed.log());
    if count == 0 || merge.conflicts.is_empty() {
        return Vec::new();
    }
    let message =
        format!("{} not deployed, and the deployed text would undo it: {}", accepted_here(count), files(merge));
    let (push, overwrite) = (world.commands.line("contracts push"), world.commands.line("contracts pull --overwrite"));
    let theirs = format!("`{overwrite}` takes the deployed text, and keeps yours as .bak; then accept again");
    let help = match here.keeps(deployed, base::of(world).as_ref()) {
        true => format!("run `{push}` to keep this folder's text; {theirs}"),
        false => theirs,
    };
    vec![Problem::new(here.log_file(), "", message, help)]
}

/// Nobody said that the deployed texts are to be taken.
fn unresolved(world: &World, merge: &Merge) -> Problems {
    let changed = match base::of(world) {
        Some(_) => "changed here and there",
        None => "other than what is deployed, and this folder never was in step with that to tell whose edit it is",
    };
    let message = format!("{changed}; nothing was written: {}", files(merge));
    let help = format!(
        "`{}` takes the deployed text, and keeps yours as .bak beside it; bring over from there what is to stay",
        world.commands.line("contracts pull --yes")
    );
    Problem::new("", "", message, help).into()
}

fn files(merge: &Merge) -> String {
    merge.conflicts.iter().map(|edit| edit.file.as_str()).collect::<Vec<_>>().join(", ")
}

fn show(globals: &Globals, merge: &Merge) {
    say(globals, &shown(merge));
}

/// What the deployed texts would change of this folder's.
fn shown(merge: &Merge) -> String {
    merge.conflicts.iter().map(diff).collect()
}
