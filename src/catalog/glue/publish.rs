//! Making a version current: one CreateTable or UpdateTable each, so that a reader sees the old table or the new one.

use std::collections::HashMap;

use aws_sdk_glue::types::{Table as GlueTable, TableInput};

use super::{CREATE, GONE, GlueCatalog, PARTITIONS, UPDATE, VERSION, conflict};
use crate::aws::{Call, code};
use crate::port::{PortError, PortErrorKind};
use crate::schema::{RESTORED, Table};

/// Parameters that describe the files, so that those of the files before say something false of the new ones.
const OF_THE_FILES: [&str; 11] = [
    "COLUMN_STATS_ACCURATE",
    "EXTERNAL",
    "averageRecordSize",
    "metadata_location",
    "numFiles",
    "numRows",
    "objectCount",
    "previous_metadata_location",
    "rawDataSize",
    "table_type",
    "totalSize",
];

pub async fn swap(
    catalog: &GlueCatalog,
    target: &str,
    staging: &str,
    expected: Option<&str>,
    parameters: &[(String, String)],
) -> Result<Table, PortError> {
    let staged = catalog.read(staging).await?.ok_or_else(|| not_found(UPDATE, catalog.subject(staging)))?;
    let current = catalog.read(target).await?;
    if let Some(current) = current.as_ref().filter(|current| shows(current, &staged)) {
        return catalog.converted_one(UPDATE, current);
    }
    let version = current.as_ref().and_then(GlueTable::version_id);
    if version != expected {
        let [found, wanted] = [version, expected].map(|version| version.unwrap_or("none"));
        return Err(conflict(UPDATE, catalog.subject(target), format!("is at version {found}, not {wanted}")));
    }
    if let Some(current) = &current {
        refuse_partitions(catalog, current, "drop or rename the table, and run again").await?;
    }
    refuse_partitions(catalog, &staged, "build the model as an Iceberg table").await?;
    let input = published(target, current.as_ref(), &staged, parameters)?;
    match version {
        Some(version) => update(catalog, input, version, &staged).await,
        None => create(catalog, input, &staged).await,
    }
}

pub async fn restore(
    catalog: &GlueCatalog,
    name: &str,
    version: &str,
    added: &[(String, String)],
) -> Result<Table, PortError> {
    let request = catalog.client.get_table_version().database_name(&catalog.database).table_name(name);
    let found = match request.version_id(version).send().await {
        Ok(answer) => answer.table_version.and_then(|version| version.table),
        Err(error) if code(&error) == Some(GONE) => None,
        Err(error) => return Err(VERSION.failed(catalog.subject(name), error)),
    };
    let missing = || not_found(VERSION, format!("version {version} of {}", catalog.subject(name)));
    let earlier = found.ok_or_else(missing)?;
    let current = catalog.read(name).await?.ok_or_else(missing)?;
    let now = current.version_id().unwrap_or_default();
    if now == version {
        return catalog.converted_one(VERSION, &current);
    }
    let mut parameters = earlier.parameters.clone().unwrap_or_default();
    parameters.extend(added.iter().cloned());
    update(catalog, input(name, &earlier, &earlier, parameters)?, now, &earlier).await
}

async fn create(catalog: &GlueCatalog, input: TableInput, wanted: &GlueTable) -> Result<Table, PortError> {
    let name = input.name().to_owned();
    match catalog.client.create_table().database_name(&catalog.database).table_input(input).send().await {
        Ok(_) => seen(catalog, &name, wanted, None).await,
        Err(error) => seen(catalog, &name, wanted, Some(CREATE.failed(catalog.subject(&name), error))).await,
    }
}

async fn update(
    catalog: &GlueCatalog,
    input: TableInput,
    version: &str,
    wanted: &GlueTable,
) -> Result<Table, PortError> {
    let name = input.name().to_owned();
    let request = catalog.client.update_table().database_name(&catalog.database).table_input(input);
    match request.version_id(version).send().await {
        Ok(_) => seen(catalog, &name, wanted, None).await,
        Err(error) => seen(catalog, &name, wanted, Some(UPDATE.failed(catalog.subject(&name), error))).await,
    }
}

/// The table as it is now. The answer to a write that took effect may be lost, and the SDK's own retry then meets that
/// write as a conflict: what the table shows decides.
async fn seen(
    catalog: &GlueCatalog,
    name: &str,
    wanted: &GlueTable,
    error: Option<PortError>,
) -> Result<Table, PortError> {
    if let Some(error) = error {
        if error.kind != PortErrorKind::Conflict {
            return Err(error);
        }
        return match catalog.read(name).await? {
            Some(table) if shows(&table, wanted) => catalog.converted_one(UPDATE, &table),
            _ => Err(error),
        };
    }
    match catalog.read(name).await? {
        Some(table) if shows(&table, wanted) => catalog.converted_one(UPDATE, &table),
        _ => Err(conflict(UPDATE, catalog.subject(name), "was changed again right after it was published".into())),
    }
}

/// Whether a reader of `table` reads what `wanted` holds. An Iceberg table's data is told by its metadata file.
fn shows(table: &GlueTable, wanted: &GlueTable) -> bool {
    let files = |table: &GlueTable| {
        let metadata = table.parameters.as_ref().and_then(|parameters| parameters.get("metadata_location")).cloned();
        (table.storage_descriptor.as_ref().and_then(|storage| storage.location.clone()), metadata)
    };
    let found = files(table);
    found.0.is_some() && found == files(wanted)
}

/// Partitions are entries of their own, which no single call replaces: readers would see a mix.
async fn refuse_partitions(catalog: &GlueCatalog, table: &GlueTable, help: &str) -> Result<(), PortError> {
    let is_iceberg = table.parameters.as_ref().and_then(|parameters| parameters.get("table_type"));
    if table.partition_keys().is_empty() || is_iceberg.is_some_and(|kind| kind.eq_ignore_ascii_case("iceberg")) {
        return Ok(());
    }
    let subject = catalog.subject(table.name());
    let request = catalog.client.get_partitions().database_name(&catalog.database).table_name(table.name());
    let answer = request.max_results(1).send().await.map_err(|error| PARTITIONS.failed(&subject, error))?;
    if answer.partitions().is_empty() {
        return Ok(());
    }
    Err(UPDATE.invalid(subject, format!("its Hive partitions cannot be replaced in one step; {help}")))
}

fn published(
    target: &str,
    current: Option<&GlueTable>,
    staged: &GlueTable,
    parameters: &[(String, String)],
) -> Result<TableInput, PortError> {
    let mut all = current.and_then(|table| table.parameters.clone()).unwrap_or_default();
    all.retain(|key, _| !OF_THE_FILES.contains(&key.as_str()) && key != RESTORED);
    all.extend(staged.parameters.clone().unwrap_or_default());
    all.extend(parameters.iter().cloned());
    input(target, current.unwrap_or(staged), staged, all)
}

/// UpdateTable replaces the whole definition: what describes the data is `data`'s, what people wrote is `words`'s.
fn input(
    name: &str,
    words: &GlueTable,
    data: &GlueTable,
    parameters: HashMap<String, String>,
) -> Result<TableInput, PortError> {
    TableInput::builder()
        .name(name)
        .set_description(words.description.clone())
        .set_owner(words.owner.clone())
        .retention(words.retention)
        .set_storage_descriptor(data.storage_descriptor.clone())
        // Athena reads no table whose keys are absent rather than empty.
        .set_partition_keys(Some(data.partition_keys().to_vec()))
        .set_table_type(data.table_type.clone())
        .set_view_original_text(data.view_original_text.clone())
        .set_view_expanded_text(data.view_expanded_text.clone())
        .set_parameters(Some(parameters))
        .build()
        .map_err(|error| UPDATE.invalid(format!("`{name}`"), error.to_string()))
}

fn not_found(call: Call, subject: String) -> PortError {
    PortError::new(PortErrorKind::NotFound, call.operation, subject, "there is no such table")
}
