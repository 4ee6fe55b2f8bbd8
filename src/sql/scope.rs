//! What names can mean at one place of a query.

use std::collections::BTreeSet;

use super::resolve::{Columns, Origins, Output};
use super::source::Mention;

/// A relation of a FROM.
pub(super) struct Bound {
    pub qualifier: Option<String>,
    pub columns: Columns,
    /// The table, if it is one.
    pub table: Option<String>,
}

/// What names can mean at one place.
#[derive(Default)]
pub(super) struct Scope<'s> {
    pub relations: Vec<Bound>,
    pub using: BTreeSet<String>,
    /// Output columns, which ORDER BY sees first.
    pub outputs: Vec<Output>,
    pub parent: Option<&'s Scope<'s>>,
}

/// What a name turns out to be.
pub(super) enum Lookup {
    Found { output: Output, table: Option<String> },
    Ambiguous(Origins),
    Unknown,
}

impl Scope<'_> {
    /// True if the mention is qualified by a relation of this FROM.
    pub fn is_relation(&self, mention: &Mention) -> bool {
        self.relations.iter().any(|bound| bound.qualifier == mention.qualifier)
    }

    /// True if the mention is qualified by a relation of this FROM, or of one around it.
    pub fn is_qualified(&self, mention: &Mention) -> bool {
        mention.qualifier.is_some()
            && (self.is_relation(mention) || self.parent.is_some_and(|parent| parent.is_qualified(mention)))
    }

    /// Finds a name here, else in the query around.
    pub fn lookup(&self, mention: &Mention) -> Lookup {
        if mention.qualifier.is_none()
            && let Some(output) = self.outputs.iter().find(|output| output.name == mention.name)
        {
            return Lookup::Found { output: output.clone(), table: None };
        }
        let mut found =
            self.columns(|bound| mention.qualifier.is_none() || bound.qualifier == mention.qualifier, &mention.name);
        if found.is_empty()
            && !self.is_relation(mention)
            && let Some(qualifier) = &mention.qualifier
        {
            // No relation has this name: `column.field` of a row type.
            found = self.columns(|_| true, qualifier);
        }
        match (found.len(), self.parent) {
            (0, Some(parent)) => parent.lookup(mention),
            (0, None) => Lookup::Unknown,
            (1, _) => {
                let (output, table) = found.remove(0);
                Lookup::Found { output, table }
            }
            _ => self.merged(found),
        }
    }

    fn columns(&self, take: impl Fn(&Bound) -> bool, name: &str) -> Vec<(Output, Option<String>)> {
        let of = |bound: &Bound| {
            let output = bound.columns.outputs.iter().find(|output| output.name == name)?;
            Some((output.clone(), bound.table.clone()))
        };
        self.relations.iter().filter(|bound| take(bound)).filter_map(of).collect()
    }

    fn merged(&self, found: Vec<(Output, Option<String>)>) -> Lookup {
        let origins: Origins = found.iter().flat_map(|(output, _)| output.origins.iter().cloned()).collect();
        match found.into_iter().next() {
            Some((first, _)) if self.using.contains(&first.name) => {
                Lookup::Found { output: Output { origins, ..first }, table: None }
            }
            _ => Lookup::Ambiguous(origins),
        }
    }
}
