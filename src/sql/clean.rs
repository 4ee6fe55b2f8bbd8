//! How a raw column is cleaned where it enters: the one definition for carried additions and first models.

use std::collections::BTreeSet;

use super::ident::{quote, snake_case};
use crate::schema::{DataType, Table};

/// A column's expression once cleaned: text is trimmed and empty text is NULL; anything else stays as it is.
pub fn cleaned(reference: &str, data_type: &DataType) -> String {
    match data_type {
        DataType::String | DataType::Varchar(_) | DataType::Char(_) => format!("nullif(trim({reference}), '')"),
        _ => reference.to_owned(),
    }
}

/// A model that reads every column of a raw table, cleaned and renamed; two columns of one name get a number.
pub fn first_model(table: &Table) -> String {
    let mut taken = BTreeSet::new();
    let projections: Vec<_> = table
        .columns
        .iter()
        .chain(&table.partition_keys)
        .map(|column| {
            let base = snake_case(&column.name).unwrap_or_else(|| "column".into());
            let numbered = (2..).map(|number| format!("{base}_{number}"));
            let name = std::iter::once(base.clone())
                .chain(numbered)
                .find(|name| !taken.contains(name))
                .expect("numbers do not end");
            taken.insert(name.clone());
            format!("    {} AS {}", cleaned(&quote(&column.name), &column.data_type), quote(&name))
        })
        .collect();
    format!(
        "/* crawlguard\nmaterialized: table\nadditions: carry\n*/\nSELECT\n{}\nFROM {}\n",
        projections.join(",\n"),
        quote(&table.name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Column;

    #[test]
    fn a_first_model_names_every_column_once() {
        let columns = vec![Column::new("a b", DataType::String), Column::new("a-b", DataType::Int)];
        let text = first_model(&Table { name: "raw_x".into(), columns, ..Table::default() });
        assert!(
            text.contains("nullif(trim(\"a b\"), '') AS \"a_b\",\n    \"a-b\" AS \"a_b_2\"\nFROM \"raw_x\""),
            "{text}"
        );
    }
}
