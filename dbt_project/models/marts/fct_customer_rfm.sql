with sales as (
    select * from {{ ref('int_orders_grouped') }}
    where line_class = 'sale' and customer_id is not null
),

snapshot as (
    select max(date_day) + 1 as snapshot_date
    from {{ ref('dim_dates') }}
    where is_trading_day and not is_outlier
),

measured as (
    select
        sales.customer_id,
        cast(
            greatest(min(snapshot.snapshot_date - sales.order_date), 1) as integer
        ) as recency_days,
        {{ order_count() }} as order_count,
        {{ gross_amount() }} as monetary_amount
    from sales
    cross join snapshot
    group by sales.customer_id
),

scored as (
    select
        *,
        ntile(5) over (order by recency_days desc, {{ customer_order() }}) as r_score,
        ntile(5) over (order by order_count asc, {{ customer_order() }}) as f_score,
        ntile(5) over (order by monetary_amount asc, {{ customer_order() }}) as m_score
    from measured
),

fct_customer_rfm as (
    select
        customer_id,
        recency_days,
        order_count,
        monetary_amount,
        cast(r_score as integer) as r_score,
        cast(f_score as integer) as f_score,
        cast(m_score as integer) as m_score,
        {{ rfm_segment('r_score', 'f_score') }} as rfm_segment
    from scored
)

select * from fct_customer_rfm
order by {{ customer_order() }}
