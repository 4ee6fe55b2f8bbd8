/* crawlguard
materialized: table
primary_key: inspection_id
additions: carry
*/
SELECT
    CAST("inspection id" AS varchar) AS inspection_id,
    CAST(operation AS varchar) AS operation_id,
    CAST(try(date_parse("inspected on", '%m/%d/%y')) AS date) AS inspected_date,
    nullif(trim(inspector), '') AS inspector,
    violations,
    score,
    CASE WHEN trim(remarks) NOT IN ('', 'N/A') THEN trim(remarks) END AS remarks,
    CAST(current_timestamp AS timestamp) AS ingestion_time,
    CAST(current_timestamp AS date) AS ingestion_date_utc
FROM raw_source_4
