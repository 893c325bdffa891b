{{ config(
    materialized='incremental',
    incremental_strategy='touched',
    on_schema_change='fail',
    meta={'touched_by': 'kpi_date'}
) }}

{%- set on_days_of_kpis = touch_days(
    'date_day', days_of_kpis(ref('dim_customers'), ref('dim_dates'))
) %}

with customers as (
    select
        customer_id,
        first_order_date
    from {{ ref('dim_customers') }}
    where is_current
),

lines as (
    select
        order_lines.*,
        customers.first_order_date
    from {{ ref('fct_order_lines') }} as order_lines
    left join customers on order_lines.customer_id = customers.customer_id
    where {{ on_touched_days('order_lines.order_date') }}
),

dates as (
    {{ freshness_of(ref('dim_dates')) }}
    qualify {{ on_days_of_kpis }}
),

traded as (
    select
        dates.date_day,
        any_value(dates.freshness_days) as freshness_days,
        {{ gross_amount() }} as gross_amount,
        {{ cancelled_amount() }} as cancelled_amount,
        {{ net_amount() }} as net_amount,
        {{ order_count() }} as order_count,
        {{ item_quantity() }} as item_quantity,
        {{ active_customers() }} as active_customers,
        {{ new_customers() }} as new_customers
    from dates
    left join lines on dates.date_day = lines.order_date
    group by dates.date_day
),

visited as (
    select
        funnel_date,
        max(session_count) filter (where step = 'page_view') as visit_sessions,
        max(session_count) filter (where step = 'add_to_cart') as cart_sessions,
        max(session_count) filter (where step = 'purchase') as purchase_sessions
    from {{ ref('fct_daily_funnel') }}
    group by funnel_date
),

measured as (
    select
        traded.*,
        traded.date_day as kpi_date,
        -traded.cancelled_amount as returned_amount,
        traded.active_customers - traded.new_customers as returning_customers,
        visited.visit_sessions,
        visited.cart_sessions,
        visited.purchase_sessions,
        visited.cart_sessions - visited.purchase_sessions as abandoned_cart_sessions
    from traded
    left join visited on traded.date_day = visited.funnel_date
),

kpis as (
    {%- for each in var('kpis') %}
    select
        kpi_date,
        '{{ each.name }}' as kpi,
        {{ kpi_value(each) }} as value,
        '{{ each.unit }}' as unit
    from measured
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

fct_daily_kpis as (
    select * from kpis
    where value is not null
)

select * from fct_daily_kpis
order by kpi_date, kpi
