//! Counts of a published table, for the contract that is to be written of it.

use super::super::query;
use super::super::world::{World, now};
use crate::checks::{CheckKind, CheckSpec, Measured, statement};
use crate::contract::Observed;
use crate::schema::{Column, DataType, Table};

/// What a model's table holds, counted by the statements that its checks would use; or why it could not be counted.
pub(super) async fn observe(world: &World, table: &Table) -> Result<Observed, String> {
    let slot = now();
    let columns: Vec<&Column> = table.all_columns().collect();
    let (rows, nulls) =
        count(world, table, &columns, &slot, |_| CheckKind::Nulls { max_rows: Some(0), max_share: None }).await?;
    let full = columns.iter().zip(&nulls).filter(|(_, nulls)| **nulls == 0);
    let full: Vec<&Column> = full.map(|(column, _)| *column).filter(|column| may_name_a_row(column)).collect();
    let (_, repeated) =
        count(world, table, &full, &slot, |name| CheckKind::Unique { columns: vec![name.to_owned()] }).await?;
    let distinct = full.iter().zip(repeated).filter(|(_, repeated)| rows > 1 && *repeated == 0);
    Ok(Observed {
        day: slot.get(..10).unwrap_or_default().to_owned(),
        rows,
        distinct: distinct.map(|(column, _)| column.name.clone()).collect(),
        nulls: columns.iter().map(|column| column.name.clone()).zip(nulls).collect(),
    })
}

/// A fraction names nothing, and what is nested is compared by no engine alike.
fn may_name_a_row(column: &Column) -> bool {
    use DataType::{BigInt, Char, Date, Int, SmallInt, String, Timestamp, TinyInt, Varchar};
    let data_type = &column.data_type;
    matches!(data_type, TinyInt | SmallInt | Int | BigInt | String | Varchar(_) | Char(_) | Date | Timestamp)
}

/// The rows, and one number of each column.
async fn count(
    world: &World,
    table: &Table,
    columns: &[&Column],
    slot: &str,
    kind: impl Fn(&str) -> CheckKind,
) -> Result<(u64, Vec<u64>), String> {
    let check = |column: &&Column| {
        let kind = kind(&column.name);
        CheckSpec { name: kind.name().to_owned(), column: Some(column.name.clone()), kind }
    };
    let checks: Vec<CheckSpec> = columns.iter().map(check).collect();
    let engine = world.engine().map_err(|error| error.to_string())?;
    let answer = query::rows(engine.as_ref(), statement(&table.name, &checks, slot)).await;
    let rows = answer.map_err(|error| format!("{error:#}"))??.rows;
    let measured = Measured(rows.into_iter().next().unwrap_or_default());
    let numbers: Option<Vec<u64>> = measured.0.iter().map(|text| text.as_ref()?.parse().ok()).collect();
    match numbers.as_deref() {
        Some([rows, numbers @ ..]) if numbers.len() == columns.len() => Ok((*rows, numbers.to_vec())),
        _ => Err("the engine's answer is no row of numbers".to_owned()),
    }
}
