with lines as (
    select * from {{ ref('fct_order_lines') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

measured as (
    select
        dates.date_day as kpi_date,
        {{ gross_amount() }} as gross_amount,
        {{ cancelled_amount() }} as cancelled_amount,
        {{ net_amount() }} as net_amount,
        {{ order_count() }} as order_count,
        {{ active_customers() }} as active_customers,
        {{ item_quantity() }} as item_quantity
    from dates
    left join lines on dates.date_day = lines.order_date
    group by dates.date_day
),

kpis as (
    {%- for each in daily_kpis() %}
    select
        kpi_date,
        '{{ each.kpi }}' as kpi,
        cast({{ each.expression }} as decimal(18, 4)) as value,
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
