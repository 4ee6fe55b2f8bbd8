//! A database and a bucket for one test.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_glue::types::{Column, DatabaseInput, SerDeInfo, StorageDescriptor, TableInput};
use crawlguard::aws;
use crawlguard::catalog::glue::GlueCatalog;
use crawlguard::catalog::glue_json;
use crawlguard::schema::{self, Table};
use serde_json::Value;

pub struct Lake {
    pub config: SdkConfig,
    /// Name of the database, and with dashes of the bucket.
    pub name: String,
    pub bucket: String,
}

impl Lake {
    pub async fn new(test: &str) -> Self {
        let config = super::endpoint().await;
        let stamp = jiff::Timestamp::now().as_microsecond();
        let name = format!("lake_{test}_{stamp}");
        let bucket = name.replace('_', "-");
        let input = DatabaseInput::builder().name(&name).build().unwrap();
        aws_sdk_glue::Client::new(&config).create_database().database_input(input).send().await.unwrap();
        aws::s3(&config).create_bucket().bucket(&bucket).send().await.unwrap();
        Self { config, name, bucket }
    }

    pub fn catalog(&self) -> GlueCatalog {
        GlueCatalog::new(aws_sdk_glue::Client::new(&self.config), &self.name)
    }

    /// Puts a table there, or its next version, as a crawl or a CTAS would.
    pub fn create(&self, table: &Table) {
        let request = async {
            let client = aws_sdk_glue::Client::new(&self.config);
            let create = client.create_table().database_name(&self.name).table_input(input(table)).send().await;
            if let Err(error) = create {
                assert_eq!(aws::code(&error), Some("AlreadyExistsException"), "{error:?}");
                client.update_table().database_name(&self.name).table_input(input(table)).send().await.unwrap();
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(request));
    }
}

/// What Glue's JSON says of the table, as the SDK's own type.
fn input(table: &Table) -> TableInput {
    let json = glue_json::to_value(table);
    let storage = &json["StorageDescriptor"];
    let text = |key: &str| storage[key].as_str().map(str::to_owned);
    let serde = SerDeInfo::builder()
        .set_serialization_library(table.storage.serde.clone())
        .set_parameters(parameters(&storage["SerdeInfo"]["Parameters"]))
        .build();
    let storage = StorageDescriptor::builder()
        .set_columns(Some(columns(&table.columns)))
        .set_location(table.location.clone())
        .set_input_format(text("InputFormat"))
        .set_output_format(text("OutputFormat"))
        .serde_info(serde)
        .build();
    TableInput::builder()
        .name(&table.name)
        .set_partition_keys(Some(columns(&table.partition_keys)))
        .storage_descriptor(storage)
        .table_type("EXTERNAL_TABLE")
        .set_parameters(parameters(&json["Parameters"]))
        .build()
        .unwrap()
}

fn parameters(json: &Value) -> Option<HashMap<String, String>> {
    let pair = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    json.as_object().map(|fields| fields.iter().filter_map(pair).collect())
}

fn columns(columns: &[schema::Column]) -> Vec<Column> {
    let column =
        |column: &schema::Column| Column::builder().name(&column.name).r#type(column.data_type.to_string()).build();
    columns.iter().map(|it| column(it).unwrap()).collect()
}
