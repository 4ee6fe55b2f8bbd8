//! `demo`: the tour.

use std::path::Path;
use std::process::ExitCode;

use super::args::Globals;

pub async fn demo(_: &Globals, _: &Path) -> anyhow::Result<ExitCode> {
    todo!()
}
