//! Which project a run from this folder goes by, and how that differs from the one that is deployed.

use super::args::Globals;
use super::contracts::deployed_project;
use super::say;
use super::world::World;
#[cfg(feature = "aws")]
use crate::pipeline::bundle::KEY;
use crate::pipeline::bundle::{Bundle, Pushed};
use crate::pipeline::{Provenance, RunError, deploy};
#[cfg(feature = "aws")]
use crate::pipeline::{load, runs};
use crate::port::{PortError, PortErrorKind};
#[cfg(feature = "aws")]
use crate::problem::{Problem, Problems};

/// Records that are looked at for the last text that was deployed.
#[cfg(feature = "aws")]
const RECORDS: usize = 20;

/// This folder's project beside the deployed one.
struct Comparison {
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only what is on AWS is deployed"))]
    revision: String,
    /// The files that differ; `None` where nothing is deployed.
    differing: Option<Vec<String>>,
}

impl Comparison {
    fn beside(world: &World, deployed: Option<&Bundle>) -> anyhow::Result<Self> {
        let here = Bundle::collect(&world.settings, Pushed::default())?;
        let differing = deployed.map(|deployed| {
            let changes = deploy::changes(&deployed.files, &here.files);
            changes.into_iter().map(|change| change.file).collect()
        });
        Ok(Self { revision: here.revision, differing })
    }

    /// What differs, in words; `None` where nothing does.
    fn message(&self, world: &World) -> Option<String> {
        let files = self.differing.as_ref().filter(|files| !files.is_empty())?;
        let files = files.join(", ");
        Some(format!("this folder is not what is deployed on target `{}`; different: {files}", world.target))
    }
}

/// What the record of a run from this folder says of it. Where another project is deployed, a run from here would publish
/// what nobody deployed, and is refused unless it is asked for.
#[cfg(feature = "aws")]
pub async fn of_run(world: &World, by: String, undeployed: bool) -> anyhow::Result<Provenance> {
    let compared = Comparison::beside(world, deployed_project(world).await?.as_ref())?;
    if let Some(message) = compared.message(world).filter(|_| !undeployed) {
        let (push, pull) = (world.commands.line("contracts push"), world.commands.line("contracts pull"));
        let help = format!(
            "deploy it by `{push}`, or bring what is deployed by `{pull}`; `run --undeployed` runs it as it is"
        );
        return Err(Problems::from(Problem::new(KEY, "", message, help)).into());
    }
    if compared.differing.is_none() && !undeployed && was_deployed(world).await? {
        let message = format!("is gone from target `{}`, whose last run went by it", world.target);
        let push = world.commands.line("contracts push");
        let help = format!("deploy this folder by `{push}`; `run --undeployed` runs it as it is");
        return Err(Problems::from(Problem::new(KEY, "", message, help)).into());
    }
    let deployed = compared.differing.map(|files| files.is_empty());
    Ok(Provenance { revision: compared.revision, deployed, by })
}

/// Whether the newest record that says whose text its run went by names a deployed project.
#[cfg(feature = "aws")]
async fn was_deployed(world: &World) -> anyhow::Result<bool> {
    let store = world.store.as_ref();
    for id in runs(store).await?.iter().rev().take(RECORDS) {
        // A record that cannot be read is told of where it is needed.
        if let Ok(Some(recorded)) = load(store, id).await
            && let Some(provenance) = recorded.run.provenance
        {
            return Ok(provenance.deployed.is_some());
        }
    }
    Ok(false)
}

/// The same of a target that runs by its folder; `None` if its files lie elsewhere, too.
pub fn here(world: &World, by: String) -> Option<Provenance> {
    let here = Bundle::collect(&world.settings, Pushed::default()).ok()?;
    Some(Provenance { revision: here.revision, deployed: None, by })
}

/// Says that another project is deployed, by which the target's function runs. Whoever may not look reads a note of that;
/// where it cannot be looked at for another reason, a setting is wrong.
pub async fn note(globals: &Globals, world: &World) -> anyhow::Result<()> {
    if !world.is_deployed() {
        return Ok(());
    }
    let message = async {
        // A project can be large: where there is nothing to hold it against, it is not read for this.
        let Some(deployed) = deployed_project(world).await? else { return Ok(None) };
        Ok(Comparison::beside(world, Some(&deployed))?.message(world))
    };
    match message.await {
        Ok(None) => {}
        Ok(Some(message)) => say(globals, &format!("note: {message}")),
        Err(error) if is_denied(&error) => {
            say(globals, &format!("note: whether this folder is what is deployed is not known: {error:#}"));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn is_denied(error: &anyhow::Error) -> bool {
    let port = match error.downcast_ref::<RunError>() {
        Some(RunError::Port(port)) => Some(port),
        _ => error.downcast_ref::<PortError>(),
    };
    port.is_some_and(|port| port.kind == PortErrorKind::Denied)
}
