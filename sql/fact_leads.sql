/* crawlguard
materialized: table
primary_key: created_date
additions: ignore
*/
-- Ages are in days at the run's slot; the last 7 days are those up to 7 days old.
WITH leads AS (
    SELECT
        created_date,
        converted_date,
        is_converted,
        status,
        date_diff('day', created_date, current_date) AS days_since_created,
        date_diff('day', converted_date, current_date) AS days_since_converted,
        date_diff('day', created_date, converted_date) AS days_to_convert
    FROM int_salesforce_leads
)

SELECT
    count(*) AS new_leads_created,
    count_if(days_since_created BETWEEN 0 AND 7) AS new_leads_last_7_days,
    count_if(days_since_created BETWEEN 0 AND 14) AS new_leads_last_14_days,
    count_if(days_since_created BETWEEN 0 AND 21) AS new_leads_last_21_days,
    count_if(days_since_created BETWEEN 0 AND 365) AS new_leads_last_365_days,
    count_if(is_converted) AS leads_converted,
    count_if(is_converted AND days_since_converted BETWEEN 0 AND 7) AS leads_converted_last_7_days,
    count_if(is_converted AND days_since_converted BETWEEN 0 AND 14) AS leads_converted_last_14_days,
    count_if(is_converted AND days_since_converted BETWEEN 0 AND 21) AS leads_converted_last_21_days,
    count_if(is_converted AND days_since_converted BETWEEN 0 AND 365) AS leads_converted_last_365_days,
    count_if(status = 'Working') AS number_of_open_leads,
    avg(CASE WHEN is_converted THEN days_to_convert END) AS avg_days_to_convert,
    created_date
FROM leads
GROUP BY created_date
