{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='funnel_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('funnel_date') }}"
) }}

with sessions as (
    select * from {{ ref('fct_sessions') }}
    where {{ on_changed_days('session_date') }}
),

steps as (
    {%- for step in funnel_steps() %}
    select
        {{ loop.index }} as step_number,
        '{{ step }}' as step
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

reached as (
    select
        sessions.session_date as funnel_date,
        steps.step_number,
        steps.step,
        count(*) filter (where sessions.reached_step_number >= steps.step_number) as session_count
    from sessions
    cross join steps
    group by sessions.session_date, steps.step_number, steps.step
),

compared as (
    select
        *,
        lag(session_count, 1, session_count) over (
            partition by funnel_date order by step_number
        ) as session_count_before,
        first_value(session_count) over (
            partition by funnel_date order by step_number
        ) as session_count_first
    from reached
),

fct_daily_funnel as (
    select
        funnel_date,
        step,
        step_number,
        session_count,
        cast({{ ratio('session_count', 'session_count_before') }} as decimal(18, 4)) as step_rate,
        cast({{ ratio('session_count', 'session_count_first') }} as decimal(18, 4))
            as conversion_rate
    from compared
)

select * from fct_daily_funnel
order by funnel_date, step_number
