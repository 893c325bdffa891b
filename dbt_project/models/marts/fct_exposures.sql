{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='exposure_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('exposure_date') }}"
) }}

with exposures as (
    select * from {{ ref('stg_silver__web_events') }}
    where
        event_type = 'exposure'
        and experiment is not null
        and {{ on_changed_days('event_date') }}
),

fct_exposures as (
    select
        event_date as exposure_date,
        experiment,
        visitor_id,
        arm,
        min(occurred_at) as first_exposed_at,
        count(*) as exposure_count
    from exposures
    group by event_date, experiment, visitor_id, arm
)

select * from fct_exposures
order by exposure_date, experiment, visitor_id, arm
