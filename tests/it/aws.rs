//! What needs no network: error kinds, Glue's tables, Athena's statements.

use aws_sdk_glue::config::http::HttpResponse;
use aws_sdk_glue::error::{ErrorMetadata, SdkError};
use aws_sdk_glue::operation::get_table::GetTableError;
use aws_sdk_glue::types::{Column, SerDeInfo, StorageDescriptor, Table as GlueTable};
use aws_sdk_s3::primitives::SdkBody;
use crawlguard::aws::{Call, S3Folder, kind};
use crawlguard::catalog::glue::{to_table, to_value};
use crawlguard::catalog::glue_json;
use crawlguard::engine::Statement;
use crawlguard::engine::athena::statement_text;
use crawlguard::port::PortError;
use crawlguard::port::PortErrorKind::{self, *};
use crawlguard::schema::{DataType, Storage, Table, TableKind};

#[test]
fn an_error_is_what_its_code_and_status_say() {
    let cases: [(&str, u16, PortErrorKind); 48] = [
        // The code counts, whatever the status.
        ("ThrottlingException", 400, Throttled),
        ("Throttling", 400, Throttled),
        ("TooManyRequestsException", 400, Throttled),
        ("SlowDown", 503, Throttled),
        ("RequestLimitExceeded", 503, Throttled),
        ("AccessDenied", 403, Denied),
        ("AccessDeniedException", 400, Denied),
        ("AuthorizationErrorException", 403, Denied),
        ("ExpiredToken", 400, Denied),
        ("ExpiredTokenException", 400, Denied),
        ("UnrecognizedClientException", 400, Denied),
        ("InvalidClientTokenId", 403, Denied),
        ("SignatureDoesNotMatch", 403, Denied),
        ("RequestTimeTooSkewed", 403, Denied),
        ("EntityNotFoundException", 400, NotFound),
        ("NoSuchKey", 404, NotFound),
        ("NoSuchBucket", 404, NotFound),
        ("NotFoundException", 404, NotFound),
        ("ResourceNotFoundException", 400, NotFound),
        ("ConcurrentModificationException", 400, Conflict),
        ("AlreadyExistsException", 400, Conflict),
        ("PreconditionFailed", 412, Conflict),
        ("ConditionalRequestConflict", 409, Conflict),
        ("InvalidRequestException", 400, Invalid),
        ("InvalidInputException", 400, Invalid),
        ("InvalidParameterException", 400, Invalid),
        ("ValidationException", 400, Invalid),
        ("ResourceNumberLimitExceededException", 400, Invalid),
        ("AuthorizationHeaderMalformed", 400, Invalid),
        ("PermanentRedirect", 301, Invalid),
        ("RequestTimeout", 400, Timeout),
        ("OperationTimeoutException", 400, Timeout),
        ("InternalServiceException", 500, Unavailable),
        ("InternalServerException", 500, Unavailable),
        ("InternalError", 500, Unavailable),
        ("ServiceUnavailable", 503, Unavailable),
        // Without a code, or with one that is not known, the status.
        ("", 400, Invalid),
        ("", 401, Denied),
        ("", 403, Denied),
        ("", 404, NotFound),
        ("", 409, Conflict),
        ("", 412, Conflict),
        ("", 429, Throttled),
        ("", 502, Unavailable),
        ("", 504, Timeout),
        ("MadeUpYesterday", 503, Unavailable),
        ("MadeUpYesterday", 200, Unexpected),
        // A near miss: only the start of a code counts.
        ("NotAThrottling", 400, Invalid),
    ];
    for (code, status, expected) in cases {
        assert_eq!(kind(code, status), expected, "{code} {status}");
    }
}

fn failed(code: &str, status: u16, message: &str) -> PortError {
    let metadata = ErrorMetadata::builder().code(code).message(message).build();
    let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
    let error = SdkError::service_error(GetTableError::generic(metadata), answer);
    Call::new("read table", "glue:GetTable").failed("`lake.raw_a`", error)
}

#[test]
fn a_refusal_names_the_permission_and_the_table() {
    let message = "Insufficient Lake Formation permission(s) on raw_a.";
    let error = failed("AccessDeniedException", 400, message).to_string();
    let expected = "read table `lake.raw_a`: AccessDeniedException: Insufficient Lake Formation permission(s) on raw_a; \
                    grant what it names in Lake Formation to the identity that runs crawlguard";
    assert_eq!(error, expected);
    let message = "User is not authorized";
    let error = failed("AccessDeniedException", 400, message).to_string();
    let expected = "read table `lake.raw_a`: AccessDeniedException: User is not authorized; \
                    it needs credentials that allow `glue:GetTable`";
    assert_eq!(error, expected);
    assert!(!failed("InvalidInputException", 400, message).to_string().contains("glue:GetTable"));
}

#[test]
fn without_a_message_the_code_speaks() {
    assert_eq!(failed("ThrottlingException", 400, " ").to_string(), "read table `lake.raw_a`: ThrottlingException");
    assert_eq!(failed("", 502, "").to_string(), "read table `lake.raw_a`: HTTP 502");
}

fn column(name: &str, data_type: &str) -> Column {
    Column::builder().name(name).r#type(data_type).build().unwrap()
}

fn crawled() -> GlueTable {
    let serde = SerDeInfo::builder().serialization_library(Storage::LAZY_SIMPLE).parameters("field.delim", ";").build();
    let storage = StorageDescriptor::builder()
        .columns(column("id", "bigint"))
        .columns(column("código postal", "struct<a:int,b:array<string>>"))
        .location("s3://lake/orders/")
        .input_format("org.apache.hadoop.mapred.TextInputFormat")
        .serde_info(serde)
        .parameters("compressionType", "gzip")
        .build();
    GlueTable::builder()
        .name("raw_orders")
        .database_name("lake")
        .version_id("7")
        .table_type("EXTERNAL_TABLE")
        .parameters("classification", "csv")
        .parameters("skip.header.line.count", "1")
        .partition_keys(column("day", "string"))
        .storage_descriptor(storage)
        .build()
        .unwrap()
}

#[test]
fn a_glue_table_keeps_what_decides() {
    let table = to_table(&crawled()).unwrap();
    assert_eq!(
        (table.name.as_str(), table.database.as_str(), table.version.as_deref()),
        ("raw_orders", "lake", Some("7"))
    );
    assert_eq!(table.columns[1].name, "código postal");
    assert_eq!(table.columns[1].data_type, DataType::parse("struct<a:int,b:array<string>>"));
    assert_eq!(table.partition_keys[0].name, "day");
    assert_eq!(table.location.as_deref(), Some("s3://lake/orders/"));
    assert_eq!(table.storage.serde_parameters["field.delim"], ";");
    assert_eq!((table.storage.compression.as_deref(), table.storage.skip_header_lines), (Some("gzip"), 1));
    assert_eq!(table.kind, TableKind::External);
}

#[test]
fn a_glue_table_reads_as_its_dump_does() {
    let dump = glue_json::read("dump.json", &to_value(&crawled()).to_string()).unwrap();
    assert_eq!(dump, [to_table(&crawled()).unwrap()]);
}

#[test]
fn a_view_and_an_iceberg_table_are_told_apart() {
    let mut view = crawled();
    view.table_type = Some("VIRTUAL_VIEW".into());
    let mut iceberg = crawled();
    iceberg.parameters = Some([("table_type".to_owned(), "ICEBERG".to_owned())].into());
    let kinds = [&view, &iceberg].map(|table| to_table(table).unwrap().kind);
    assert_eq!(kinds, [TableKind::View, TableKind::Iceberg]);
}

#[test]
fn a_table_without_storage_is_refused_by_name() {
    let mut link = crawled();
    link.storage_descriptor = None;
    let problems: Result<Table, _> = to_table(&link);
    let problems = problems.unwrap_err().to_string();
    assert!(problems.contains("raw_orders") && problems.contains("StorageDescriptor"), "{problems}");
}

fn build(partitioned_by: &[&str], iceberg: bool) -> Statement {
    Statement::Build {
        table: "stg_it's".into(),
        select: "SELECT 1 AS \"a\";\n".into(),
        location: "s3://lake/o'brien/1/".into(),
        partitioned_by: partitioned_by.iter().map(ToString::to_string).collect(),
        iceberg,
    }
}

#[test]
fn a_build_is_a_ctas() {
    let cases: [(&[&str], bool, bool, &str); 4] = [
        (&[], false, false, "format = 'PARQUET', external_location = 's3://lake/o''brien/1/'"),
        (&[], false, true, "format = 'PARQUET'"),
        (&["day", "hour"], false, true, "format = 'PARQUET', partitioned_by = ARRAY['day', 'hour']"),
        (
            &["day"],
            true,
            true,
            "format = 'PARQUET', table_type = 'ICEBERG', is_external = false, location = 's3://lake/o''brien/1/', \
             partitioning = ARRAY['day']",
        ),
    ];
    for (partitioned_by, iceberg, enforced, properties) in cases {
        let text = statement_text(&build(partitioned_by, iceberg), enforced);
        assert_eq!(text, format!("CREATE TABLE \"stg_it's\"\nWITH ({properties})\nAS SELECT 1 AS \"a\""));
    }
}

#[test]
fn a_query_is_sent_as_it_is() {
    assert_eq!(statement_text(&Statement::Query { select: "SELECT 1".into() }, true), "SELECT 1");
}

#[test]
fn a_folder_is_read_from_its_uri() {
    let cases = [
        ("s3://b", Some(("b", "", "s3://b/k"))),
        ("s3://b/", Some(("b", "", "s3://b/k"))),
        ("s3://b/a/c", Some(("b", "a/c/", "s3://b/a/c/k"))),
        ("s3:///a", None),
        ("/a/b", None),
    ];
    for (uri, expected) in cases {
        let folder = S3Folder::parse(uri);
        let found = folder.as_ref().map(|it| (it.bucket.as_str(), it.prefix.as_str(), it.uri("k")));
        assert_eq!(found, expected.map(|(bucket, prefix, uri)| (bucket, prefix, uri.to_owned())), "{uri}");
    }
}
