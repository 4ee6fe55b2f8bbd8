//! Targets that share contracts: the same folders, each below the target's own `raw`.

use crate::config::{Settings, Target};
use crate::drift::{Change, ChangeKind};
use crate::schema::Table;

/// Drops what is no change of place: the contract names the folder as another target has it.
pub(super) fn drop_of_other_targets(changes: &mut Vec<Change>, settings: &Settings, tables: &[Table]) {
    let roots: Vec<(&str, &str)> = settings.config.targets.values().filter_map(root).collect();
    if roots.is_empty() {
        return;
    }
    changes.retain(|change| {
        let database = tables.iter().find(|table| table.name == change.table).map(|table| table.database.as_str());
        let places = (change.before.as_deref(), change.after.as_deref());
        let (ChangeKind::LocationChanged, (Some(promised), Some(found))) = (&change.kind, places) else { return true };
        !is_same_place(promised, found, database.unwrap_or_default(), &roots)
    });
}

/// A target's database, and the folder above its sources.
fn root(target: &Target) -> Option<(&str, &str)> {
    match target {
        Target::Aws(aws) => Some((&aws.database, aws.raw.as_deref()?)),
        Target::Local(_) => None,
    }
}

/// True if the table lies below its own target's folder as it does, by the contract, below some target's.
fn is_same_place(promised: &str, found: &str, database: &str, roots: &[(&str, &str)]) -> bool {
    let own = roots.iter().filter(|(of, _)| *of == database).filter_map(|(_, root)| below(root, found));
    let any: Vec<&str> = roots.iter().filter_map(|(_, root)| below(root, promised)).collect();
    own.into_iter().any(|folder| any.contains(&folder))
}

/// The rest of a location below a folder, without its last slash.
fn below<'a>(root: &str, location: &'a str) -> Option<&'a str> {
    let rest = location.strip_prefix(root.trim_end_matches('/'))?.strip_prefix('/')?;
    Some(rest.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_below_the_folders_of_two_targets() {
        let roots = [("shop_dev", "s3://dev/raw/"), ("shop", "s3://prod/raw")];
        let is_same = |promised, found, database| is_same_place(promised, found, database, &roots);
        assert!(is_same("s3://dev/raw/a/", "s3://prod/raw/a", "shop"));
        assert!(is_same("s3://prod/raw/a/b/", "s3://dev/raw/a/b/", "shop_dev"));
        // Another folder, a place that is no target's, and the files of another target than the table's.
        assert!(!is_same("s3://dev/raw/a/", "s3://prod/raw/b/", "shop"));
        assert!(!is_same("s3://else/raw/a/", "s3://prod/raw/a/", "shop"));
        assert!(!is_same("s3://dev/raw/a/", "s3://prod/rawer/a/", "shop"));
        assert!(!is_same("s3://prod/raw/a/", "s3://dev/raw/a/", "shop"));
    }
}
