//! What was typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Stands between an AWS Glue crawl and the nightly build: grades schema drift, adapts the SQL, publishes only what passed.
#[derive(Debug, Parser)]
#[command(name = "crawlguard", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 clean or tolerated, 1 breaking or failed checks, 2 no answer.")]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Args)]
pub struct Globals {
    /// The project's folder [default: the nearest crawlguard.toml at or above the working folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// The target in crawlguard.toml [default: its default_target]
    #[arg(long, global = true, value_name = "NAME")]
    pub target: Option<String>,
    /// How the result is printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log more on stderr (-v, -vv)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// A tour on bundled data: a clean build, then tolerated, breaking and bad arrivals
    Demo {
        /// Where the demo's lake and project go
        #[arg(default_value = "demo")]
        dir: PathBuf,
    },
    /// Make a new project from a lake: settings, contracts, a first model for each source
    Init {
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// The lake: a folder with one folder a source
        #[arg(long, default_value = "lake")]
        lake: PathBuf,
    },
    /// Examine what the target needs, and say how to mend what is missing
    Doctor,
    /// Infer each prefix's schema into the local catalog, as a Glue crawler would
    Crawl,
    /// Compare the catalog with the contracts; writes nothing
    Check {
        /// Read this `aws glue get-tables` output instead of the target's catalog
        #[arg(long, value_name = "FILE")]
        catalog: Option<PathBuf>,
    },
    /// Judge two sides without a project: contracts or folders of them, Glue table JSON, data files or folders
    Diff { old: PathBuf, new: PathBuf },
    /// Print what `run` would do; writes nothing
    Plan,
    /// Crawl, compare, build, check, publish; resumes a run that was cut off
    Run {
        /// The moment the run stands for, as 2026-01-02T03:04:05Z; a slot is run once, asked again it
        /// answers with that run [default: now]
        #[arg(long, value_name = "TIME")]
        slot: Option<jiff::Timestamp>,
        /// Use the catalog as the last crawl left it; refused where the lake has changed since
        #[arg(long)]
        no_crawl: bool,
        /// Go by this folder although another project is deployed on the target
        #[arg(long)]
        undeployed: bool,
    },
    /// List past runs, or show one
    Runs { run_id: Option<String> },
    /// Put a published table back to an earlier version
    Rollback {
        table: String,
        /// The version to show again [default: the one before the current]
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
        /// List the table's versions instead; writes nothing
        #[arg(long, conflicts_with = "to")]
        list: bool,
    },
    /// Read published tables with Athena SQL
    Query {
        sql: String,
        /// Let the query read raw tables too
        #[arg(long)]
        raw: bool,
        /// How rows are printed; --format json does the same as --output json
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Contracts: what is promised of each table
    #[command(subcommand)]
    Contracts(Contracts),
    /// List the drift rules
    Rules,
    /// Explain a drift rule
    Explain { rule: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Table,
    Csv,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Contracts {
    /// Write a contract and a first model for catalog tables that have none, or a contract for published models
    Init {
        /// Tables and models to write one for [default: every crawled table that has none]
        tables: Vec<String>,
    },
    /// Accept what the catalog shows: contract, models and log in one go
    Update {
        /// Tables to accept [default: every table that differs]
        tables: Vec<String>,
        /// A removed column is an added one under another name: models keep their columns; repeatable, for one table
        #[arg(long, value_name = "OLD=NEW")]
        rename: Vec<String>,
        /// Refuse if something else is found of the one table than the alert showed that gives these digits
        #[arg(long, value_name = "DIGITS")]
        expect: Option<String>,
        /// Why, for the log
        #[arg(long)]
        reason: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List the contracts
    List,
    /// Show one contract
    Show { table: String },
    /// Who accepted what, when and why
    Log { table: Option<String> },
    /// Deploy the project to a target on AWS: its Lambda runs by it from the next crawl on
    Push {
        /// Why, for whoever reads the deployed project
        #[arg(long)]
        reason: Option<String>,
    },
    /// Bring what is deployed on a target on AWS into this folder; what was changed here alone stays
    Pull {
        /// Take the deployed text of files changed here and there without being asked; yours are kept as .bak
        #[arg(long)]
        yes: bool,
        /// Take it of files changed here alone, too
        #[arg(long)]
        overwrite: bool,
    },
}
