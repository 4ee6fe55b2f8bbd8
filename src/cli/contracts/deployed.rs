//! `contracts push` and `pull`: the project of a target on AWS is one object there, and its Lambda runs by that.

mod base;
mod pull;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;

use super::super::args::Globals;
use super::super::world::{World, now};
use super::super::{exit, print, say};
use super::journal::{self, Edit};
use crate::config::{Settings, Target};
use crate::pipeline::bundle::{self, Bundle, Pushed};
use crate::pipeline::{self, Push, deploy};
use crate::problem::{Problem, Problems};
use crate::report::human;

pub use base::keep as in_step;
pub use pull::pull;

/// Deploys the project in this folder.
pub async fn push(globals: &Globals, world: &World, reason: Option<&str>) -> anyhow::Result<ExitCode> {
    on_aws(world)?;
    let who = world.who().await?;
    let bundle = here(world, pushed(&who, reason))?;
    let changes = put(globals, world, &bundle).await?;
    in_step(world, &bundle)?;
    let files: Vec<_> = changes.iter().map(|change| change.file.as_str()).collect();
    let json = || json!({"schema_version": 1, "revision": bundle.revision, "files": files});
    print(globals, json, || match changes.as_slice() {
        [] => "the same is deployed\n".to_owned(),
        changes => {
            let lines: String = changes.iter().map(|change| format!("{} {}\n", verb(change), change.file)).collect();
            format!("{lines}deployed {}; it takes effect at the next crawl or run\n", short(&bundle))
        }
    })?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// Deploys the project with the edits of an acceptance, and returns it; does nothing on a target that runs by this folder.
pub async fn with_edits(
    globals: &Globals,
    world: &World,
    edits: &[Edit],
    who: &str,
    reason: Option<&str>,
) -> anyhow::Result<Option<Bundle>> {
    if !world.is_deployed() {
        return Ok(None);
    }
    let bundle = edited(world, edits, pushed(who, reason))?;
    put(globals, world, &bundle).await?;
    say(globals, &format!("deployed on target `{}`; it takes effect at the next crawl or run", world.target));
    Ok(Some(bundle))
}

/// What deploying an acceptance deploys beside it, in words; refused if it would undo another one.
pub async fn brought_along(globals: &Globals, world: &World, edits: &[Edit]) -> anyhow::Result<Option<String>> {
    if !world.is_deployed() {
        return Ok(None);
    }
    let bundle = edited(world, edits, Pushed::default())?;
    let Some(deployed) = of(world).await? else {
        return Ok(Some(format!("nothing is deployed on target `{}` yet, so the whole project will be", world.target)));
    };
    if !bundle.keeps(&deployed, base::of(world).as_ref()) {
        return Err(not_here(globals, world, &deployed, &here(world, Pushed::default())?).into());
    }
    let changes = deploy::changes(&deployed.files, &bundle.files);
    let is_edited = |file: &str| edits.iter().any(|edit| edit.file == file);
    let others: Vec<_> = changes.into_iter().filter(|change| !is_edited(&change.file)).map(|it| it.file).collect();
    Ok((!others.is_empty()).then(|| format!("this deploys too what else differs here: {}", others.join(", "))))
}

/// What is deployed, on a target that runs by it.
pub async fn of(world: &World) -> anyhow::Result<Option<Bundle>> {
    if !world.is_deployed() {
        return Ok(None);
    }
    Ok(bundle::deployed(world.store.as_ref()).await?.map(|(bundle, _)| bundle))
}

/// Says how many acceptances are only here, and only there.
pub fn say_difference(globals: &Globals, world: &World, here: usize, there: usize) {
    if here > 0 {
        say(globals, &format!("note: {} not deployed", accepted_here(here)));
    }
    if there > 0 {
        let pull = world.commands.line("contracts pull");
        say(globals, &format!("note: {} not in this folder; `{pull}` brings it", accepted_there(there)));
    }
}

/// Which revision, and who deployed it when and why.
pub fn origin(bundle: &Bundle) -> String {
    let Pushed { who, at, why } = &bundle.pushed;
    format!("{}, pushed by {who} at {at}: {}", short(bundle), why.as_deref().unwrap_or("no reason given"))
}

async fn put(globals: &Globals, world: &World, bundle: &Bundle) -> anyhow::Result<Vec<Edit>> {
    bundle.check(&world.target)?;
    match pipeline::push(world.store.as_ref(), bundle, base::of(world).as_ref()).await? {
        Push::Same => Ok(Vec::new()),
        Push::Done { changes } => Ok(changes),
        Push::Refused { deployed } => Err(not_here(globals, world, &deployed, bundle).into()),
    }
}

/// This folder's project; refused while half of an acceptance is written.
fn here(world: &World, pushed: Pushed) -> Result<Bundle, Problems> {
    Problems::or(journal::unfinished(world).into_iter().collect(), ())?;
    Bundle::collect(&world.settings, pushed)
}

fn edited(world: &World, edits: &[Edit], pushed: Pushed) -> Result<Bundle, Problems> {
    let mut files: BTreeMap<_, _> = here(world, Pushed::default())?.files;
    for Edit { file, after, .. } in edits {
        match after {
            Some(text) => files.insert(file.clone(), text.clone()),
            None => files.remove(file),
        };
    }
    Ok(Bundle::new(files, pushed))
}

fn pushed(who: &str, reason: Option<&str>) -> Pushed {
    Pushed { who: who.to_owned(), at: now(), why: reason.map(str::to_owned) }
}

/// Why a push is refused: it would undo what was accepted or edited elsewhere.
fn not_here(globals: &Globals, world: &World, deployed: &Bundle, here: &Bundle) -> Problems {
    say(globals, &differences(deployed, here));
    let message = match deploy::missing(deployed.log(), here.log()) {
        0 => {
            let files = deploy::undone(base::of(world).as_ref(), deployed, here).join(", ");
            format!("changed there since this folder was last in step with it, and a push would undo that: {files}")
        }
        count => format!("{} not in this folder, and a push would undo it", accepted_there(count)),
    };
    let help = format!(
        "run `{}`, which leaves alone what was changed here alone, and then this command again",
        world.commands.line("contracts pull")
    );
    Problem::new(bundle::KEY, "", message, help).into()
}

fn accepted_here(count: usize) -> String {
    match count {
        1 => "1 acceptance of this folder is".to_owned(),
        count => format!("{count} acceptances of this folder are"),
    }
}

fn accepted_there(count: usize) -> String {
    match count {
        1 => "1 deployed acceptance is".to_owned(),
        count => format!("{count} deployed acceptances are"),
    }
}

/// The diff of what differs; of the log, a count is told instead.
fn differences(before: &Bundle, after: &Bundle) -> String {
    let logs = [before.log_file(), after.log_file()];
    let changes = deploy::changes(&before.files, &after.files);
    changes.iter().filter(|change| !logs.contains(&change.file)).map(diff).collect()
}

fn diff(edit: &Edit) -> String {
    let text = |side: &Option<String>| side.clone().unwrap_or_default();
    human::diff(&edit.file, &text(&edit.before), &text(&edit.after))
}

fn verb(change: &Edit) -> &'static str {
    match (&change.before, &change.after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    }
}

fn short(bundle: &Bundle) -> String {
    format!("revision {}", bundle.revision.get(..12).unwrap_or(&bundle.revision))
}

fn on_aws(world: &World) -> anyhow::Result<()> {
    if world.is_deployed() {
        return Ok(());
    }
    let names = names_on_aws(&world.settings);
    let advice = match names.as_slice() {
        [] => "crawlguard.toml names none".to_owned(),
        names => format!("name one with --target: {}", names.join(", ")),
    };
    bail!("target `{}` runs by this folder, and only a target on AWS is deployed to; {advice}", world.target)
}

fn names_on_aws(settings: &Settings) -> Vec<&str> {
    let targets = settings.config.targets.iter();
    targets.filter(|(_, target)| matches!(target, Target::Aws(_))).map(|(name, _)| name.as_str()).collect()
}

#[cfg(all(test, feature = "aws"))]
mod tests;
