{{ config(
    materialized='incremental',
    incremental_strategy='touched',
    unique_key=['session_id'],
    on_schema_change='fail'
) }}

{%- if goes_on() %}
{%- set of_other_customers = touch_spans(
    'customers', ref('dim_customers'), 'customer_id', ['customer_key'],
    'sessions.customer_id', 'sessions.started_at', even_new=true
) %}
{%- do run_query(
    'create or replace table memory.touched.fct_sessions_orders as '
    ~ orders_that_came_or_went(ref('fct_orders'))
) %}
{%- set rejoined -%}
    from last_gold.gold.fct_sessions as sessions
    where
        session_id not in (from memory.touched.sessions)
        and ({{ of_other_customers }} or order_id in (from memory.touched.fct_sessions_orders))
{%- endset %}
{%- do touch_keys(
    'select session_id from memory.touched.sessions union all select session_id ' ~ rejoined
) %}
{%- endif %}

with events as (
    select
        *,
        (occurred_at, event_id) as place,
        case event_type
            {%- for step in funnel_steps() %}
            when '{{ step }}' then {{ loop.index }}
            {%- endfor %}
            else 0
        end as step_number
    from {{ touched_events(ref('stg_silver__web_events')) }}
),

sessions as (
    select
        session_id,
        arg_min(visitor_id, place) as visitor_id,
        arg_max(customer_id, place) filter (where customer_id is not null) as customer_id,
        arg_max(device_type, place) filter (where device_type is not null) as device_type,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        arg_min(event_date, place) as session_date,
        count(*) as event_count,
        {%- for step in funnel_steps() %}
        count(*) filter (where event_type = '{{ step }}') as {{ step }}_count,
        {%- endfor %}
        max(step_number) as reached_step_number,
        arg_min(order_id, place) filter (
            where event_type = 'purchase' and order_id is not null
        ) as order_id
    from events
    group by session_id
    {%- if goes_on() %}
    union all by name
    {{ known_sessions(rejoined) }}
    {%- endif %}
),

orders as (
    select order_id from {{ ref('fct_orders') }}
    where source_system = 'web'
),

customers as (
    {{ versions_of(ref('dim_customers'), ['customer_key', 'customer_id']) }}
),

fct_sessions as (
    select
        sessions.session_id,
        sessions.visitor_id,
        sessions.customer_id,
        coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
        sessions.device_type,
        sessions.started_at,
        sessions.ended_at,
        date_diff('second', sessions.started_at, sessions.ended_at) as duration_seconds,
        sessions.session_date,
        sessions.event_count,
        {%- for step in funnel_steps() %}
        sessions.{{ step }}_count,
        {%- endfor %}
        cast(sessions.reached_step_number as integer) as reached_step_number,
        {%- for step in funnel_steps() %}
        sessions.reached_step_number >= {{ loop.index }} as has_{{ step }},
        {%- endfor %}
        sessions.order_id,
        orders.order_id is not null as has_order
    from sessions
    left join orders on sessions.order_id = orders.order_id
    left join customers
        on
            sessions.customer_id = customers.customer_id
            and {{ valid_at('sessions.started_at', 'customers') }}
)

select * from fct_sessions
order by session_date, started_at, session_id
