//! `doctor`: whether everything that a target names is there and lets itself be used, and the fix of what is not.

#[cfg(feature = "aws")]
mod bucket;
#[cfg(feature = "aws")]
mod cloud;
#[cfg(feature = "aws")]
mod crawler;
mod here;
#[cfg(feature = "aws")]
mod stack;
#[cfg(feature = "aws")]
mod topic;
#[cfg(feature = "aws")]
mod wiring;
#[cfg(feature = "aws")]
mod workgroup;

use std::fmt::Write;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::args::Globals;
use super::world::{Place, World};
use super::{exit, print};
use crate::pipeline::Project;
use crate::port::{PortError, PortErrorKind};

/// One thing that a target needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Examined {
    what: String,
    state: State,
    /// What was found.
    found: String,
    /// What mends it; empty if it is well.
    help: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// It was not looked at; the help says how to.
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "all of a local target is looked at"))]
    NotChecked,
    /// It works, but not as well as it should.
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "a local target is well, or it is not"))]
    Caution,
    /// It is not there, or not as it has to be.
    Missing,
    /// There is no telling.
    Unknown,
}

impl Examined {
    fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Ok, found: found.into(), help: String::new() }
    }

    #[cfg(feature = "aws")]
    fn caution(what: impl Into<String>, found: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Caution, found: found.into(), help: help.into() }
    }

    #[cfg(feature = "aws")]
    fn not_checked(what: impl Into<String>, found: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::NotChecked, found: found.into(), help: help.into() }
    }

    fn missing(what: impl Into<String>, found: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Missing, found: found.into(), help: help.into() }
    }

    /// What is not found, or cannot be as it is named, is missing; whatever else went wrong leaves it unknown.
    fn failed(what: impl Into<String>, error: &PortError, help: impl Into<String>) -> Self {
        let state = match error.kind {
            PortErrorKind::NotFound | PortErrorKind::Invalid => State::Missing,
            _ => State::Unknown,
        };
        Self { what: what.into(), state, found: error.to_string(), help: help.into() }
    }
}

pub async fn doctor(globals: &Globals) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let mut examined = vec![project(&world)];
    examined.extend(match &world.place {
        Place::Here(here) => here::examine(&world, here).await,
        #[cfg(feature = "aws")]
        Place::Cloud(cloud) => cloud::examine(&world, cloud).await,
    });
    examined.iter_mut().for_each(|one| one.help = world.commands.spell(&one.help));
    let as_json = || json!({"schema_version": 1, "target": world.target, "examined": examined});
    print(globals, as_json, || human(&examined))?;
    Ok(ExitCode::from(match examined.iter().map(|one| one.state).max() {
        Some(State::Unknown) => exit::NO_ANSWER,
        Some(State::Missing) => exit::NO,
        Some(State::Ok | State::NotChecked | State::Caution) | None => exit::CLEAN,
    }))
}

/// The files on this machine.
fn project(world: &World) -> Examined {
    match Project::read(world.settings.clone()) {
        Ok(project) => {
            let (contracts, models) = (project.contracts.len(), project.graph.models.len());
            Examined::ok("project", format!("{contracts} contracts and {models} models can be read"))
        }
        Err(problems) => Examined::missing("project", problems.to_string(), "mend these files"),
    }
}

fn human(examined: &[Examined]) -> String {
    let mut text = String::new();
    for Examined { what, state, found, help } in examined {
        let state = match state {
            State::Ok => "ok",
            State::NotChecked => "not checked",
            State::Caution => "caution",
            State::Missing => "missing",
            State::Unknown => "unknown",
        };
        writeln!(text, "{state:<11} {what}: {}", found.replace('\n', "\n            ")).expect("a String takes all");
        if !help.is_empty() {
            writeln!(text, "            help: {help}").expect("a String takes all");
        }
    }
    text
}
