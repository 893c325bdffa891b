with days as (
    select * from {{ ref('int_days_measured') }}
),

traded as (
    select
        dates.date_day,
        dates.date_day - max(case when dates.is_trading_day then dates.date_day end) over (
            order by dates.date_day
        ) as freshness_days,
        {%- for measure in [
            'gross_amount', 'cancelled_amount', 'net_amount', 'order_count', 'item_quantity',
            'active_customers', 'new_customers'
        ] %}
        coalesce(days.{{ measure }}, 0) as {{ measure }}{{ ',' if not loop.last }} -- noqa: LT02
        {%- endfor %}
    from {{ ref('dim_dates') }} as dates
    left join days on dates.date_day = days.order_date
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
        '{{ kpi_unit(each) }}' as unit
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
