with trading_days as (
    select distinct order_date from {{ ref('int_orders_grouped') }}
),

active_days as (
    select order_date as active_date from trading_days
    union
    select event_date as active_date from {{ ref('stg_silver__web_events') }}
),

-- The rule of lakehouse/contracts/outliers.py: days fall into runs wherever two of them are more
-- than two years apart.
runs_begun as (
    select
        active_date,
        active_date - lag(active_date) over (order by active_date) > 731 as is_start
    from active_days
),

days_in_runs as (
    select
        active_date,
        count(*) filter (is_start) over (order by active_date) as run
    from runs_begun
),

runs as (
    select
        min(active_date) as first_day,
        max(active_date) as last_day,
        count(*) as day_count
    from days_in_runs
    group by run
),

-- The longest run is the shop's own, and every run of more than a week; a mistyped year is neither.
own_runs as (
    select * from runs
    qualify
        day_count > 7
        or row_number() over (order by day_count desc, first_day asc) = 1
),

shop_span as (
    select
        min(first_day) as first_day,
        max(last_day) as last_day
    from own_runs
),

calendar as (
    select
        cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as date_day,
        false as is_outlier
    from shop_span
    union all
    select
        active_days.active_date,
        true as is_outlier
    from active_days
    inner join shop_span
        on active_days.active_date not between shop_span.first_day and shop_span.last_day
),

dim_dates as (
    select
        calendar.date_day,
        cast(extract(year from calendar.date_day) as integer) as year,
        cast(extract(month from calendar.date_day) as integer) as month,
        strftime(calendar.date_day, '%Y-%m') as order_month,
        strftime(calendar.date_day, '%G-W%V') as iso_week,
        cast(extract(isodow from calendar.date_day) as integer) as day_of_week,
        extract(isodow from calendar.date_day) >= 6 as is_weekend,
        trading_days.order_date is not null as is_trading_day,
        calendar.is_outlier
    from calendar
    left join trading_days on calendar.date_day = trading_days.order_date
)

select * from dim_dates
order by date_day
