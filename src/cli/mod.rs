//! The command-line shell: arguments in, one result on stdout, everything else on stderr.

mod args;
mod check;
#[cfg(feature = "aws")]
mod cloud;
mod contracts;
mod crawl;
mod demo;
mod diff;
mod doctor;
pub mod exit;
mod init;
mod inputs;
mod problem;
mod provenance;
mod query;
mod rollback;
mod rules;
mod run;
mod usage;
mod who;
mod world;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Color, Command, Format, Globals};

use crate::problem::texts;

/// Runs the command that `arguments` (program name first) spell.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { exit::NO_ANSWER } else { exit::CLEAN };
            let _ = error.print();
            usage::hint(&error);
            return ExitCode::from(code);
        }
    };
    set_color(cli.globals.color);
    set_logging(&cli.globals);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&cli, &error.into()),
    };
    match runtime.block_on(dispatch(&cli)) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::from(exit::CLEAN),
        Err(error) => failed(&cli, &error),
    }
}

async fn dispatch(cli: &Cli) -> anyhow::Result<ExitCode> {
    let globals = &cli.globals;
    match &cli.command {
        Command::Demo { dir } => demo::demo(globals, dir).await,
        Command::Init { dir, lake } => init::init(globals, dir, lake).await,
        Command::Crawl => crawl::crawl(globals).await,
        Command::Doctor => doctor::doctor(globals).await,
        Command::Check { catalog } => check::check(globals, catalog.as_deref()).await,
        Command::Diff { old, new } => diff::diff(globals, old, new),
        Command::Plan => run::plan(globals).await,
        Command::Run { slot, no_crawl, undeployed } => {
            let asked = run::Asked { slot: *slot, crawls: !no_crawl, undeployed: *undeployed };
            run::run(globals, asked).await
        }
        Command::Runs { run_id } => run::runs(globals, run_id.as_deref()).await,
        Command::Rollback { table, list: true, .. } => rollback::list(globals, table).await,
        Command::Rollback { table, to, .. } => rollback::rollback(globals, table, to.as_deref()).await,
        Command::Query { sql, raw, output } => query::query(globals, sql, *raw, *output).await,
        Command::Contracts(command) => contracts::contracts(globals, command).await,
        Command::Rules => rules::rules(globals),
        Command::Explain { rule } => rules::explain(globals, rule),
    }
}

/// Prints a result: JSON as it is, or the human text.
fn print(
    globals: &Globals,
    json: impl FnOnce() -> serde_json::Value,
    human: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    let text = match globals.format {
        Format::Json => serde_json::to_string_pretty(&json())? + "\n",
        Format::Human => human(),
    };
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// A line for people on stderr, unless they asked for quiet.
fn say(globals: &Globals, line: &str) {
    if !globals.quiet {
        let _ = writeln!(anstream::stderr(), "{line}");
    }
}

/// Says on stderr why there is no answer; a program that asked for JSON reads the same on stdout.
fn failed(cli: &Cli, error: &anyhow::Error) -> ExitCode {
    let commands = world::commands(&cli.globals);
    let problems: Vec<_> = problem::of(error).into_iter().map(|problem| commands.spelt(problem)).collect();
    for text in texts(&problems) {
        let _ = writeln!(anstream::stderr(), "error: {text}");
    }
    if cli.globals.format == Format::Json {
        let _ = print(&cli.globals, || problem::as_json(&cli.command, &problems), String::new);
    }
    ExitCode::from(exit::NO_ANSWER)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

fn set_color(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

fn set_logging(globals: &Globals) {
    let level = match (globals.quiet, globals.verbose) {
        (true, _) | (false, 0) => "error",
        (false, 1) => "crawlguard=info",
        (false, _) => "crawlguard=debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("CRAWLGUARD_LOG").unwrap_or_else(|_| level.into());
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
