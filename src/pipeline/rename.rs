//! A removed and an added column that somebody says are one.

use super::Comparison;
use crate::drift::{Change, ChangeKind};
use crate::problem::{Problem, Problems, closest};
use crate::schema::DataType;

/// A column under another name. Never inferred: it is what `--rename old=new` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    pub table: String,
    pub from: String,
    pub to: String,
    pub data_type: DataType,
}

/// Reads `old=new` pairs of one table: each old name a column that was removed, each new one an added column of its type.
pub fn renames(comparison: &Comparison, table: &str, asked: &[String]) -> Result<Vec<Rename>, Problems> {
    let of_table: Vec<&Change> = comparison.changes.iter().filter(|change| change.table == table).collect();
    let removed = columns(&of_table, |kind| kind == ChangeKind::ColumnRemoved);
    let added =
        columns(&of_table, |kind| matches!(kind, ChangeKind::ColumnAddedAtEnd | ChangeKind::ColumnAddedInMiddle));
    let mut problems = Vec::new();
    let mut found: Vec<Rename> = Vec::new();
    for text in asked {
        match rename(table, text, &removed, &added) {
            Ok(next) => {
                if found.iter().any(|other| other.from == next.from || other.to == next.to) {
                    let message = "a column is renamed once, and to one name";
                    problems.push(problem(text, message.to_owned(), "leave out one of the two".to_owned()));
                }
                found.push(next);
            }
            Err(unfit) => problems.extend(unfit),
        }
    }
    Problems::or(problems, found)
}

/// A column's name and type.
type Column = (String, String);

fn columns(changes: &[&Change], wanted: impl Fn(ChangeKind) -> bool) -> Vec<Column> {
    let side = |change: &&&Change| {
        let data_type = change.before.as_ref().or(change.after.as_ref());
        Some((change.column()?, data_type?.clone()))
    };
    changes.iter().filter(|change| wanted(change.kind)).filter_map(|change| side(&change)).collect()
}

fn rename(table: &str, text: &str, removed: &[Column], added: &[Column]) -> Result<Rename, Vec<Problem>> {
    let Some((from, to)) = pair(text, removed, added) else {
        return Err(vec![problem(text, "is not OLD=NEW".to_owned(), "write `--rename old=new`".to_owned())]);
    };
    match (find(removed, from), find(added, to)) {
        (Some((from, before)), Some((to, after))) if before == after => {
            let (table, from, to) = (table.to_owned(), from.clone(), to.clone());
            Ok(Rename { table, from, to, data_type: DataType::parse(before) })
        }
        (Some((from, before)), Some((to, after))) => {
            let message = format!("`{from}` was {before}, and `{to}` is {after}");
            let help = "accept without --rename, and read the new column in the models by hand";
            Err(vec![problem(text, message, help.to_owned())])
        }
        (old, new) => {
            let old = old.is_none().then(|| stranger(text, from, &format!("a removed column of {table}"), removed));
            let new = new.is_none().then(|| stranger(text, to, &format!("an added column of {table}"), added));
            Err(old.into_iter().chain(new).collect())
        }
    }
}

/// Splits at the sign that leaves two known names; names may hold one themselves.
fn pair<'a>(text: &'a str, removed: &[Column], added: &[Column]) -> Option<(&'a str, &'a str)> {
    let splits: Vec<_> = text.match_indices('=').map(|(at, sign)| (&text[..at], &text[at + sign.len()..])).collect();
    let known = |(from, to): &&(&str, &str)| find(removed, from).is_some() && find(added, to).is_some();
    splits.iter().find(known).or(splits.first()).copied()
}

fn find<'c>(columns: &'c [Column], name: &str) -> Option<&'c Column> {
    columns.iter().find(|(column, _)| column.eq_ignore_ascii_case(name))
}

fn stranger(text: &str, name: &str, what: &str, known: &[Column]) -> Problem {
    let names = || known.iter().map(|(name, _)| name.as_str());
    let help = match (closest(name, names()), known) {
        (Some(known), _) => format!("did you mean `{known}`?"),
        (None, []) => "there is none; accept without --rename".to_owned(),
        (None, _) => format!("name one of {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    problem(text, format!("`{name}` is not {what}"), help)
}

fn problem(text: &str, message: String, help: String) -> Problem {
    Problem::new(format!("--rename {text}"), "", message, help)
}
