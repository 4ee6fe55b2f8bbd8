/* crawlguard
materialized: table
primary_key: operation_id
additions: ignore
*/
-- What is known of an operation: its inspections and its latest enrollment.
WITH inspections AS (
    SELECT
        operation_id,
        count(*) AS inspections,
        sum(violations) AS violations,
        avg(score) AS average_score
    FROM int_inspections
    GROUP BY operation_id
),

enrollments AS (
    SELECT
        operation_id,
        max(week_start) AS enrolled_since,
        max_by(enrolled, week_start) AS enrolled,
        max_by(waiting, week_start) AS waiting
    FROM int_enrollments
    GROUP BY operation_id
)

SELECT
    operations.operation_id,
    operations.operator,
    operations.capacity,
    coalesce(inspections.inspections, 0) AS inspections,
    inspections.violations,
    inspections.average_score,
    enrollments.enrolled,
    enrollments.waiting,
    enrollments.enrolled_since
FROM int_operations AS operations
LEFT JOIN inspections ON inspections.operation_id = operations.operation_id
LEFT JOIN enrollments ON enrollments.operation_id = operations.operation_id
