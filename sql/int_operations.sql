/* crawlguard
materialized: table
primary_key: operation_id
additions: ignore
*/
-- Where cells between type and facility id were dropped, the later ones sit up to two places to the left.
-- The anchor is the facility id, column 15: the only long number from capacity on.
WITH operations AS (
    SELECT
        operation,
        "operation name",
        type,
        address,
        city,
        state,
        zip,
        county,
        phone,
        status,
        "issue date",
        capacity,
        "email address",
        ARRAY[
            CAST(capacity AS varchar), "email address", "facility id", "monitoring frequency",     -- 13 to 16
            infant, toddler, preschool, school                                                     -- 17 to 20
        ] AS cells_from_13
    FROM raw_source_3
),

shifts AS (
    SELECT
        operation,
        "operation name",
        type,
        address,
        city,
        state,
        zip,
        county,
        phone,
        status,
        "issue date",
        capacity,
        "email address",
        cells_from_13,
        -- NULL if the anchor is nowhere: such a row's values are not guessed.
        CASE
            WHEN regexp_like(element_at(cells_from_13, 3), '^[0-9]{5,}$') THEN 0
            WHEN regexp_like(element_at(cells_from_13, 2), '^[0-9]{5,}$') THEN 1
            WHEN regexp_like(element_at(cells_from_13, 1), '^[0-9]{5,}$') THEN 2
        END AS row_shift
    FROM operations
),

placed AS (
    SELECT
        operation,
        "operation name",
        type,
        address,
        city,
        state,
        zip,
        county,
        phone,
        status,
        split_part("issue date", ' ', 1) AS issue_day,
        CASE WHEN row_shift < 2 THEN capacity END AS capacity,
        "email address",
        element_at(cells_from_13, 3 - row_shift) AS facility_id,
        element_at(cells_from_13, 5 - row_shift) AS infant,
        element_at(cells_from_13, 6 - row_shift) AS toddler,
        element_at(cells_from_13, 7 - row_shift) AS preschool,
        element_at(cells_from_13, 8 - row_shift) AS school,
        row_shift
    FROM shifts
)

SELECT
    nullif(trim(replace("operation name", '"', '')), '') AS operator,
    CAST(operation AS varchar) AS operation_id,
    nullif(trim(type), '') AS facility_type,
    facility_id,
    -- A date in the place of the status is not one.
    CASE WHEN NOT regexp_like(status, '[0-9]') THEN nullif(trim(status), '') END AS status,
    nullif(trim(address), '') AS address,
    nullif(trim(city), '') AS city,
    nullif(trim(state), '') AS state,
    CAST(zip AS varchar) AS zip,
    nullif(trim(county), '') AS county,
    nullif(trim(phone), '') AS phone,
    CASE WHEN regexp_like("email address", '^[^@ ]+@[^@ ]+[.][^@ ]+$') THEN "email address" END AS email_address,
    CAST(try(date_parse(issue_day, '%m/%d/%y')) AS date) AS issued_date,
    capacity,
    CASE
        WHEN infant = 'Y' THEN 'Infants'
        WHEN toddler = 'Y' THEN 'Toddlers'
        WHEN preschool = 'Y' THEN 'Preschool'
        WHEN school = 'Y' THEN 'School-Age'
    END AS age_type,
    CASE WHEN infant IN ('Y', 'N') THEN infant END AS accepts_infants,
    CASE WHEN toddler IN ('Y', 'N') THEN toddler END AS accepts_toddlers,
    CASE WHEN preschool IN ('Y', 'N') THEN preschool END AS accepts_preschool,
    CASE WHEN school IN ('Y', 'N') THEN school END AS accepts_school_age,
    row_shift,
    CAST(current_timestamp AS timestamp) AS ingestion_time,
    CAST(current_timestamp AS date) AS ingestion_date_utc
FROM placed
