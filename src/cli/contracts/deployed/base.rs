//! What this folder was last in step with: by that a pull tells an edit made here from one made elsewhere.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context;

use super::super::super::world::World;
use crate::pipeline::Bundle;
use crate::store::write_whole;

/// The project that this folder last pushed or pulled; `None` if it never did, or what tells of it cannot be read: then
/// every difference counts as an edit.
pub fn of(world: &World) -> Option<Bundle> {
    read(world).remove(&world.target)
}

/// Notes that this folder has all of what is deployed.
pub fn keep(world: &World, deployed: &Bundle) -> anyhow::Result<()> {
    let mut all = read(world);
    if all.insert(world.target.clone(), deployed.clone()).as_ref() == Some(deployed) {
        return Ok(());
    }
    let path = path(world);
    let folder = path.parent().expect("it lies in a folder");
    fs::create_dir_all(folder).with_context(|| format!("create folder {}", folder.display()))?;
    write_whole(&path, &serde_json::to_vec(&all)?).with_context(|| format!("write {}", path.display()))
}

/// By target.
fn read(world: &World) -> BTreeMap<String, Bundle> {
    fs::read(path(world)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn path(world: &World) -> std::path::PathBuf {
    world.settings.root.join(".crawlguard").join("deployed.json")
}
