with months as (
    select distinct
        order_month,
        year * 12 + month as month_index
    from {{ ref('dim_dates') }}
),

active as (
    select distinct
        orders.customer_id,
        months.month_index
    from {{ ref('int_orders_grouped') }} as orders
    inner join months on orders.order_month = months.order_month
    where orders.line_class = 'sale' and orders.customer_id is not null
),

joined as (
    select
        customer_id,
        min(month_index) as cohort_index
    from active
    group by customer_id
),

cohorts as (
    select
        cohort_index,
        count(*) as cohort_size
    from joined
    group by cohort_index
),

observed as (
    select
        cohorts.cohort_index,
        cohorts.cohort_size,
        months.month_index - cohorts.cohort_index as month_number
    from cohorts
    inner join months on cohorts.cohort_index <= months.month_index
    where months.month_index <= (select max(active.month_index) from active)
),

retained as (
    select
        joined.cohort_index,
        active.month_index - joined.cohort_index as month_number,
        count(*) as active_customers
    from active
    inner join joined on active.customer_id = joined.customer_id
    group by joined.cohort_index, month_number
),

fct_cohort_retention as (
    select
        months.order_month as cohort_month,
        cast(observed.month_number as integer) as month_number,
        observed.cohort_size,
        coalesce(retained.active_customers, 0) as active_customers,
        cast(
            {{ ratio('coalesce(retained.active_customers, 0)', 'observed.cohort_size') }}
            as decimal(18, 4)
        ) as retention_rate
    from observed
    inner join months on observed.cohort_index = months.month_index
    left join retained
        on
            observed.cohort_index = retained.cohort_index
            and observed.month_number = retained.month_number
)

select * from fct_cohort_retention
order by cohort_month, month_number
