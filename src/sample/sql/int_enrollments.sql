/* crawlguard
materialized: table
primary_key: operation_id, week_start
additions: carry
*/
SELECT
    CAST(operation AS varchar) AS operation_id,
    week_start,
    enrolled,
    coalesce(waiting, 0) AS waiting,
    weekly_tuition,
    CAST(current_timestamp AS timestamp) AS ingestion_time,
    CAST(current_timestamp AS date) AS ingestion_date_utc
FROM raw_source_5
