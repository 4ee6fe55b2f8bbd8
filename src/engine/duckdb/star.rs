//! `*` over joins with USING.

use polyglot_sql::expressions::{Expression, Identifier, Select};

use super::rewrite::Rewritten;

/// A SELECT whose `*` gives the shared columns first, as Athena's does; DuckDB leaves them where they stand.
/// <https://trino.io/docs/current/sql/select.html#joins>
pub(super) fn shared_first(mut select: Select) -> Rewritten {
    let is_star = |item: &Expression| matches!(item, Expression::Star(_));
    if select.joins.iter().all(|join| join.using.is_empty()) || !select.expressions.iter().any(is_star) {
        return Ok(Expression::Select(Box::new(select)));
    }
    let names = shared(&select)?;
    for item in std::mem::take(&mut select.expressions) {
        match item {
            Expression::Star(star) if star.table.is_some() => {
                return Err("`*` of one of several relations joined with USING".to_owned());
            }
            Expression::Star(mut star) => {
                select.expressions.extend(names.iter().map(|name| Expression::column(name.name.as_str())));
                star.except = Some(names.clone());
                select.expressions.push(Expression::Star(star));
            }
            item => select.expressions.push(item),
        }
    }
    Ok(Expression::Select(Box::new(select)))
}

/// The columns that all relations share.
fn shared(select: &Select) -> Result<Vec<Identifier>, String> {
    let from = select.from.as_ref().map_or(&[][..], |from| &from.expressions);
    let relations = from.iter().chain(select.joins.iter().map(|join| &join.this));
    let nests = |relation: &Expression| matches!(relation, Expression::JoinedTable(_) | Expression::Paren(_));
    if from.len() != 1 || select.joins.iter().any(|join| join.nesting_group != 0) || relations.into_iter().any(nests) {
        return Err("`*` over nested joins with USING".to_owned());
    }
    let mut lists = select.joins.iter().map(|join| &join.using);
    let first = lists.next().cloned().unwrap_or_default();
    let lower = |names: &[Identifier]| names.iter().map(|name| name.name.to_lowercase()).collect::<Vec<_>>();
    match lists.all(|names| lower(names) == lower(&first)) {
        true => Ok(first),
        false => Err("`*` over joins of which not all are USING the same columns".to_owned()),
    }
}
