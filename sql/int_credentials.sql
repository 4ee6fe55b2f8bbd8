/* crawlguard
materialized: table
primary_key: credential_number
additions: carry
*/
SELECT
    nullif(trim(name), '') AS licensee_name,
    -- The digits. What does not fit is NULL, and the contract counts it.
    TRY_CAST(replace("credential number", '-', '') AS bigint) AS license_number,
    nullif(trim(status), '') AS license_status,
    CAST(try(date_parse("first issue date", '%m/%d/%y')) AS date) AS license_issued_date,
    CAST(try(date_parse("expiration date", '%m/%d/%y')) AS date) AS license_expiration_date,
    nullif(trim("credential type"), '') AS license_type,
    nullif(trim("disciplinary action"), '') AS disciplinary_action,
    nullif(trim(address), '') AS address,
    nullif(trim(state), '') AS state,
    nullif(trim(county), '') AS county,
    nullif(trim(phone), '') AS phone,
    nullif(trim("primary contact name"), '') AS primary_contact_name,
    nullif(trim("primary contact role"), '') AS primary_contact_role,
    nullif(trim("credential number"), '') AS credential_number,
    CAST(current_timestamp AS timestamp) AS ingestion_time,
    CAST(current_timestamp AS date) AS ingestion_date_utc
FROM raw_source_1
