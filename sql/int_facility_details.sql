/* crawlguard
materialized: table
primary_key: license_number
additions: ignore
*/
-- Empty cells were dropped, so later values sit to the left. Two anchors put a row right: the star level
-- (column 6, up to one place off) and, as address2 may be dropped as well, the subsidy contract (column 22).
WITH facilities AS (
    SELECT
        "type license",
        company,
        ARRAY[
            "type license", company, "accepts subsidy", "year round", "daytime hours",             -- 1 to 5
            "star level", mon, tues, wed, thurs, friday, saturday, sunday, "primary caregiver",    -- 6 to 14
            phone, email, address1, address2, city, state, zip, "subsidy contract number",         -- 15 to 22
            "total cap", "ages accepted 1", aa2, aa3, aa4, "license monitoring since"              -- 23 to 28
        ] AS cells
    FROM raw_source_2
),

shifts AS (
    SELECT
        "type license",
        company,
        cells,
        -- From the star level to address1. NULL if the anchor is nowhere: nothing is guessed then.
        CASE
            WHEN regexp_like(element_at(cells, 6), '^[0-9] Star Level Program$') THEN 0
            WHEN regexp_like(element_at(cells, 5), '^[0-9] Star Level Program$') THEN 1
        END AS row_shift,
        -- From city on.
        CASE
            WHEN element_at(cells, 22) LIKE 'Subsidy Contract Number:%' THEN 0
            WHEN element_at(cells, 21) LIKE 'Subsidy Contract Number:%' THEN 1
            WHEN element_at(cells, 20) LIKE 'Subsidy Contract Number:%' THEN 2
        END AS city_shift,
        array_join(cells, '|') AS row_text
    FROM facilities
),

placed AS (
    SELECT
        "type license",
        company,
        row_shift,
        element_at(cells, 6 - row_shift) AS star_level,
        element_at(cells, 7 - row_shift) AS mon,
        element_at(cells, 8 - row_shift) AS tue,
        element_at(cells, 9 - row_shift) AS wed,
        element_at(cells, 10 - row_shift) AS thu,
        element_at(cells, 11 - row_shift) AS fri,
        element_at(cells, 12 - row_shift) AS sat,
        element_at(cells, 13 - row_shift) AS sun,
        -- The name, line breaks, then the role.
        regexp_replace(element_at(cells, 14 - row_shift), '\s*\n\s*', '|') AS caregiver_lines,
        element_at(cells, 15 - row_shift) AS phone,
        element_at(cells, 16 - row_shift) AS email,
        element_at(cells, 17 - row_shift) AS address1,
        CASE WHEN city_shift = row_shift THEN element_at(cells, 18 - row_shift) END AS address2,
        element_at(cells, 19 - city_shift) AS city,
        element_at(cells, 20 - city_shift) AS state,
        element_at(cells, 21 - city_shift) AS zip,
        element_at(cells, 23 - city_shift) AS capacity,
        -- The ages stand between the contract and the monitoring date; what follows repeats other columns.
        split_part(split_part(row_text, 'Subsidy Contract Number:', 2), 'Monitoring since', 1) AS ages,
        regexp_extract(row_text, 'Monitoring since ([0-9]{4}-[0-9]{2}-[0-9]{2})', 1) AS monitored_since,
        contains(cells, 'Accepts Subsidy') AS accepts_subsidy,
        contains(cells, 'Year Round') AS year_round
    FROM shifts
)

SELECT
    nullif(trim(company), '') AS company,
    nullif(trim(regexp_replace("type license", ' - K[0-9]+$', '')), '') AS license_type,
    nullif(regexp_extract("type license", ' - (K[0-9]+)$', 1), '') AS license_number,
    nullif(trim(address1), '') AS address1,
    nullif(trim(address2), '') AS address2,
    nullif(trim(city), '') AS city,
    nullif(trim(state), '') AS state,
    nullif(trim(zip), '') AS zip,
    nullif(trim(phone), '') AS phone,
    CASE WHEN regexp_like(email, '^[^@ ]+@[^@ ]+[.][^@ ]+$') THEN email END AS email,
    CASE WHEN accepts_subsidy THEN 'Y' ELSE 'N' END AS accepts_financial_aid,
    CASE WHEN year_round THEN 'Y' ELSE 'N' END AS year_round,
    TRY_CAST(split_part(star_level, ' ', 1) AS integer) AS star_level,
    TRY_CAST(capacity AS integer) AS capacity,
    CASE
        WHEN ages LIKE '%|Infants%' THEN 'Infants'
        WHEN ages LIKE '%|Toddlers%' THEN 'Toddlers'
        WHEN ages LIKE '%|Preschool%' THEN 'Preschool'
        WHEN ages LIKE '%|School-age%' THEN 'School-Age'
    END AS age_type,
    CASE
        WHEN ages LIKE '%|Infants%' THEN 0
        WHEN ages LIKE '%|Toddlers%' THEN 12
        WHEN ages LIKE '%|Preschool%' THEN 24
        WHEN ages LIKE '%|School-age%' THEN 60
    END AS min_age_months,
    CASE
        WHEN ages LIKE '%|School-age%' THEN CAST(NULL AS integer)
        WHEN ages LIKE '%|Preschool%' THEN 48
        WHEN ages LIKE '%|Toddlers%' THEN 23
        WHEN ages LIKE '%|Infants%' THEN 11
    END AS max_age_months,
    'Mon: ' || CASE WHEN mon = 'CLOSED' THEN 'Closed' WHEN mon LIKE '%M - %M' THEN 'Open' END
        || ', Tue: ' || CASE WHEN tue = 'CLOSED' THEN 'Closed' WHEN tue LIKE '%M - %M' THEN 'Open' END
        || ', Wed: ' || CASE WHEN wed = 'CLOSED' THEN 'Closed' WHEN wed LIKE '%M - %M' THEN 'Open' END
        || ', Thu: ' || CASE WHEN thu = 'CLOSED' THEN 'Closed' WHEN thu LIKE '%M - %M' THEN 'Open' END
        || ', Fri: ' || CASE WHEN fri = 'CLOSED' THEN 'Closed' WHEN fri LIKE '%M - %M' THEN 'Open' END
        || ', Sat: ' || CASE WHEN sat = 'CLOSED' THEN 'Closed' WHEN sat LIKE '%M - %M' THEN 'Open' END
        || ', Sun: ' || CASE WHEN sun = 'CLOSED' THEN 'Closed' WHEN sun LIKE '%M - %M' THEN 'Open' END AS schedule,
    nullif(trim(split_part(caregiver_lines, '|', 1)), '') AS caregiver,
    nullif(trim(split_part(caregiver_lines, '|', 2)), '') AS caregiver_role,
    TRY_CAST(monitored_since AS date) AS monitored_since,
    row_shift,
    CAST(current_timestamp AS timestamp) AS ingestion_time,
    CAST(current_timestamp AS date) AS ingestion_date_utc
FROM placed
