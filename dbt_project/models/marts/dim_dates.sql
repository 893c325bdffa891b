with trading_days as (
    select distinct order_date from {{ ref('int_orders_grouped') }}
),

active_days as (
    select order_date as active_date from trading_days
    union
    select event_date as active_date from {{ ref('stg_silver__web_events') }}
),

days as (
    select unnest(generate_series(min(active_date), max(active_date), interval 1 day)) as midnight
    from active_days
),

calendar as (
    select cast(midnight as date) as date_day
    from days
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
        trading_days.order_date is not null as is_trading_day
    from calendar
    left join trading_days on calendar.date_day = trading_days.order_date
)

select * from dim_dates
order by date_day
