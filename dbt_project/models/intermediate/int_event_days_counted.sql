{{ config(materialized='table', database='gold_build', schema='carried') }}

with int_event_days_counted as (
    {{ counted_since_last(
        'events', ref('stg_silver__web_events'), ['event_date'], {'event_count': 'true'}
    ) }}
)

select * from int_event_days_counted
order by event_date
