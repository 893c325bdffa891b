{{ config(materialized='table', database='gold_build', schema='carried') }}

with counted as (
    {%- if goes_on() %}
    select
        event_date,
        event_count
    from {{ last_gold(this) }}
    union all
    select
        event_date,
        1 as event_count
    from memory.touched.added_events
    union all
    select
        event_date,
        -1 as event_count
    from memory.touched.removed_events
    {%- else %}
    select
        event_date,
        1 as event_count
    from {{ ref('stg_silver__web_events') }}
    {%- endif %}
),

int_event_days_counted as (
    select
        event_date,
        cast(sum(event_count) as bigint) as event_count
    from counted
    group by event_date
    having sum(event_count) <> 0
)

select * from int_event_days_counted
order by event_date
