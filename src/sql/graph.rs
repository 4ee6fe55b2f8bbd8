//! Models in dependency order.

use std::collections::{BTreeMap, BTreeSet};

use super::Model;
use crate::problem::{Problem, Problems, closest, shell_word};

/// What to do about a table that is neither a model nor promised.
fn no_table(table: &str) -> String {
    let word = shell_word(table);
    format!(
        "add its model, or, for a table of the catalog, run `crawlguard contracts init {word}` to put a contract in force"
    )
}

/// All models of a project, acyclic, each read table known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    /// Name → model.
    pub models: BTreeMap<String, Model>,
    /// Model names, each after everything it reads; ties by name.
    pub order: Vec<String>,
}

impl Graph {
    /// `sources` are the tables that exist without a model (the contracts' raw tables). A table that is
    /// neither, a cycle (named whole) and two models of one name are problems, all reported at once.
    pub fn new(models: Vec<Model>, sources: &[String]) -> Result<Self, Problems> {
        let (graph, problems) = Self::of(models, sources, &BTreeSet::new());
        Problems::or(problems, graph)
    }

    /// The same, giving what is sound beside the problems: `order` leaves out every model that reads, directly or through
    /// others, a table that is not known. `unread` are the tables whose own file is already a problem: reading one is none.
    pub fn of(models: Vec<Model>, sources: &[String], unread: &BTreeSet<String>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let by_name = by_name(models, &mut problems);
        let sources: BTreeSet<String> = sources.iter().map(|source| source.to_lowercase()).collect();
        for model in by_name.values() {
            if sources.contains(&model.name) {
                let message = format!("`{}` is a model and a source table", model.name);
                problems.push(Problem::new(&model.file, "", message, "rename the model, or remove the contract"));
            }
            let known = |table: &&String| by_name.contains_key(*table) || sources.contains(*table);
            for table in model.reads.iter().filter(|table| !known(table) && !unread.contains(*table)) {
                problems.push(unknown_table(model, table, by_name.keys().chain(&sources)));
            }
        }
        let (mut order, cycles) = sort(&by_name);
        problems.extend(cycles.iter().map(|cycle| circle(&by_name[&cycle[0]], cycle)));
        let mut sound = sources;
        order.retain(|name| {
            let whole = by_name[name].reads.iter().all(|table| sound.contains(table));
            whole && sound.insert(name.clone())
        });
        (Self { models: by_name, order }, problems)
    }

    /// The models that `name` reads.
    pub fn upstream(&self, name: &str) -> Vec<&str> {
        let Some(model) = self.models.get(name) else { return Vec::new() };
        model.reads.iter().filter(|table| self.models.contains_key(*table)).map(String::as_str).collect()
    }

    /// The models that read `name`, directly or through others, in build order.
    pub fn downstream(&self, name: &str) -> Vec<&str> {
        let mut reached = BTreeSet::from([name]);
        let mut found = Vec::new();
        for model in self.order.iter().filter_map(|name| self.models.get(name)) {
            if model.reads.iter().any(|table| reached.contains(table.as_str())) {
                reached.insert(&model.name);
                found.push(model.name.as_str());
            }
        }
        found
    }
}

fn by_name(models: Vec<Model>, problems: &mut Vec<Problem>) -> BTreeMap<String, Model> {
    let mut by_name: BTreeMap<String, Model> = BTreeMap::new();
    for model in models {
        if let Some(first) = by_name.get(&model.name) {
            let message = format!("a second model named `{}`, beside {}", model.name, first.file);
            problems.push(Problem::new(&model.file, "", message, "rename or remove one of the two"));
            continue;
        }
        by_name.insert(model.name.clone(), model);
    }
    by_name
}

fn circle(first: &Model, cycle: &[String]) -> Problem {
    let message = format!("models read each other in a circle: {}", cycle.join(" → "));
    Problem::new(&first.file, "", message, "take one of the reads out")
}

/// Build order, ties by name, and the cycles that keep the rest out of it.
fn sort(models: &BTreeMap<String, Model>) -> (Vec<String>, Vec<Vec<String>>) {
    let mut order: Vec<String> = Vec::new();
    let mut waiting: BTreeSet<&String> = models.keys().collect();
    while let Some(name) =
        waiting.iter().find(|name| !models[**name].reads.iter().any(|table| waiting.contains(table))).copied()
    {
        waiting.remove(name);
        order.push(name.clone());
    }
    let mut cycles = Vec::new();
    while let Some(first) = waiting.first().copied() {
        let path = walk(models, &waiting, first);
        for name in &path {
            waiting.remove(name);
        }
        if path.first() == path.last() {
            cycles.push(path);
        }
    }
    (order, cycles)
}

/// Follows the first waiting read of each model until a name comes again: the cycle, closed by its first name, or the
/// one model that merely reads a cycle found before.
fn walk(models: &BTreeMap<String, Model>, waiting: &BTreeSet<&String>, first: &str) -> Vec<String> {
    let mut path = vec![first.to_owned()];
    loop {
        let last = path.last().expect("the path starts with one name");
        let Some(next) = models[last].reads.iter().find(|table| waiting.contains(table)) else {
            let dead_end = path.pop().expect("the path starts with one name");
            return vec![dead_end, String::new()];
        };
        if let Some(start) = path.iter().position(|name| name == next) {
            let mut cycle = path.split_off(start);
            let least = cycle.iter().enumerate().min_by_key(|(_, name)| *name).map_or(0, |(index, _)| index);
            cycle.rotate_left(least);
            cycle.push(cycle[0].clone());
            return cycle;
        }
        path.push(next.clone());
    }
}

fn unknown_table<'a>(model: &Model, table: &str, known: impl Iterator<Item = &'a String>) -> Problem {
    let help = match closest(table, known.map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`? if not, {}", no_table(table)),
        None => no_table(table),
    };
    Problem::new(&model.file, model.place_of(table), format!("unknown table `{table}`"), help)
}
