{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='session_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('session_date') }}"
) }}

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
    from {{ ref('stg_silver__web_events') }}
    {%- if is_incremental() %}
    where
        {{ since_changed_days('event_date') }}
        and session_id in (
            select changed.session_id from {{ ref('stg_silver__web_events') }} as changed
            where {{ on_changed_days('changed.event_date') }}
        )
        -- those that began on other days are in the table already
        and session_id not in (select known.session_id from {{ this }} as known)
    {%- endif %}
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
    where {{ on_changed_days('sessions.session_date') }}
)

select * from fct_sessions
order by session_date, started_at, session_id
