/* crawlguard
materialized: table
primary_key: id
additions: carry
*/
-- Empty cells were dropped from most rows, so later values sit one or two places to the left.
-- A row is put right from its anchor: the cell that is TRUE or FALSE is is_converted, column 18.
WITH leads AS (
    SELECT
        id,
        first_name,
        last_name,
        ARRAY[
            CAST(id AS varchar), CAST(is_deleted AS varchar), last_name, first_name, title,        -- 1 to 5
            company, street, city, state, postal_code,                                             -- 6 to 10
            country, CAST(phone AS varchar), mobile_phone, email, website,                         -- 11 to 15
            lead_source, status, is_converted, created_date, last_modified_date,                   -- 16 to 20
            last_activity_date, CAST(last_viewed_date AS varchar), last_referenced_date            -- 21 to 23
        ] AS cells
    FROM raw_salesforce_leads
    WHERE NOT coalesce(is_deleted, false)
),

shifts AS (
    SELECT
        id,
        first_name,
        last_name,
        cells,
        -- From lead_source on. NULL if the anchor is nowhere: such a row's values are not guessed.
        CASE
            WHEN element_at(cells, 18) IN ('TRUE', 'FALSE') THEN 0
            WHEN element_at(cells, 17) IN ('TRUE', 'FALSE') THEN 1
            WHEN element_at(cells, 16) IN ('TRUE', 'FALSE') THEN 2
        END AS row_shift,
        -- From company to country: title was dropped if a postal code stands in state.
        CASE WHEN regexp_like(element_at(cells, 9), '[0-9]') THEN 1 ELSE 0 END AS address_shift,
        -- From phone to website: something before them was dropped if the address stands in mobile_phone.
        CASE WHEN element_at(cells, 13) LIKE '%@%' THEN 1 ELSE 0 END AS contact_shift
    FROM leads
),

placed AS (
    SELECT
        id,
        first_name,
        last_name,
        row_shift,
        CASE WHEN address_shift = 0 THEN element_at(cells, 5) END AS title,
        element_at(cells, 6 - address_shift) AS company,
        element_at(cells, 7 - address_shift) AS street,
        element_at(cells, 8 - address_shift) AS city,
        element_at(cells, 9 - address_shift) AS state,
        element_at(cells, 10 - address_shift) AS postal_code,
        element_at(cells, 12 - contact_shift) AS phone,
        element_at(cells, 13 - contact_shift) AS mobile_phone,
        element_at(cells, 14 - contact_shift) AS email,
        element_at(cells, 15 - contact_shift) AS website,
        element_at(cells, 16 - row_shift) AS lead_source,
        element_at(cells, 17 - row_shift) AS status,
        element_at(cells, 18 - row_shift) AS is_converted,
        -- Dates come as 5/17/24 18:28 and as 5/17/24: the day is what stands before the space.
        split_part(element_at(cells, 19 - row_shift), ' ', 1) AS created_day,
        split_part(element_at(cells, 20 - row_shift), ' ', 1) AS last_modified_day,
        split_part(element_at(cells, 21 - row_shift), ' ', 1) AS last_activity_day,
        split_part(element_at(cells, 23 - row_shift), ' ', 1) AS last_referenced_day
    FROM shifts
)

SELECT
    id,
    nullif(trim(first_name), '') AS first_name,
    nullif(trim(last_name), '') AS last_name,
    nullif(trim(title), '') AS title,
    nullif(trim(company), '') AS company,
    nullif(trim(phone), '') AS phone,
    nullif(trim(mobile_phone), '') AS mobile_phone,
    CASE WHEN regexp_like(email, '^[^@ ]+@[^@ ]+[.][^@ ]+$') THEN email END AS email,
    nullif(trim(street), '') AS street,
    nullif(trim(city), '') AS city,
    nullif(trim(state), '') AS state,
    CASE WHEN regexp_like(postal_code, '[0-9]') THEN trim(postal_code) END AS postal_code,
    CASE WHEN status IN ('Working', 'Assigned', 'Unqualified', 'Connected', 'Recycled') THEN status END AS status,
    nullif(trim(lead_source), '') AS lead_source,
    CASE WHEN regexp_like(website, '^(https?://)?[A-Za-z0-9.-]+[.][A-Za-z]{2,}(/.*)?$') THEN website END AS website,
    is_converted = 'TRUE' AS is_converted,
    CAST(NULL AS date) AS converted_date,  -- no column of the source has it today
    CAST(try(date_parse(last_modified_day, '%m/%d/%y')) AS date) AS last_modified_date,
    CAST(try(date_parse(last_activity_day, '%m/%d/%y')) AS date) AS last_activity_date,
    CAST(try(date_parse(last_referenced_day, '%m/%d/%y')) AS date) AS last_referenced_date,
    CAST(try(date_parse(created_day, '%m/%d/%y')) AS date) AS created_date,
    row_shift,
    CAST(current_timestamp AS timestamp) AS ingestion_time,
    CAST(current_timestamp AS date) AS ingestion_date_utc
FROM placed
