//! What a local target needs.

use super::Examined;
use crate::catalog::gone;
use crate::cli::world::{Here, World};
use crate::pipeline::RUN;
use crate::store::Expect;

/// Written and removed again.
const PROBE: &str = "doctor.probe";

pub async fn examine(world: &World, here: &Here) -> Vec<Examined> {
    vec![lake(here), state(world, here).await, published(world).await, engine(world)]
}

fn lake(here: &Here) -> Examined {
    let lake = here.lake.display();
    match std::fs::read_dir(&here.lake) {
        Ok(entries) => {
            let sources = entries.flatten().filter(|entry| entry.path().is_dir()).count();
            Examined::ok("lake", format!("`{lake}` holds {sources} sources"))
        }
        Err(error) => {
            let help = "put the lake there, or set `lake` in crawlguard.toml";
            Examined::missing("lake", format!("`{lake}`: {error}"), help)
        }
    }
}

async fn state(world: &World, here: &Here) -> Examined {
    // What a probe that was cut off has left.
    let written = async {
        world.store.remove(PROBE).await?;
        world.store.put(PROBE, b"{}", &Expect::Absent).await?;
        world.store.remove(PROBE).await
    };
    match written.await {
        Ok(()) => {
            Examined::ok("state", format!("`{}` takes records", world.settings.root.join(&here.local.state).display()))
        }
        Err(error) => Examined::failed("state", &error, error.help()),
    }
}

/// Whether what readers see is still there.
async fn published(world: &World) -> Examined {
    const WHAT: &str = "published tables";
    let tables = match world.catalog.tables("").await {
        Ok(tables) => tables,
        Err(error) => return Examined::failed(WHAT, &error, error.help()),
    };
    let published: Vec<_> = tables.iter().filter(|table| table.parameters.contains_key(RUN)).collect();
    let lost: Vec<_> =
        published.iter().filter_map(|table| Some(format!("`{}` {}", table.name, gone(table)?))).collect();
    match lost.as_slice() {
        [] => Examined::ok(WHAT, format!("{} with their files", published.len())),
        lost => Examined::missing(WHAT, lost.join("\n"), "run `crawlguard run`, which builds every table anew"),
    }
}

fn engine(world: &World) -> Examined {
    match world.engine() {
        Ok(_) => Examined::ok("engine", "the embedded engine starts"),
        Err(error) => {
            let help = "keep `libduckdb` beside the program, or build it with --features bundled";
            Examined::missing("engine", format!("{error:#}"), help)
        }
    }
}
