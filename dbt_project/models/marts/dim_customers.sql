with ordered as (
    select * from {{ ref('int_customers_ordered') }}
),

profiled as (
    select * from {{ ref('int_customers_profiled') }}
),

versions as (
    select
        coalesce(profiled.customer_id, ordered.customer_id) as customer_id,
        coalesce(profiled.country, ordered.country) as country,
        coalesce(profiled.has_marketing_consent, false) as has_marketing_consent,
        ordered.first_order_date,
        {{ first_valid_from() }} as valid_from,
        cast(null as timestamp) as valid_to,
        true as is_current
    from profiled
    full outer join ordered on profiled.customer_id = ordered.customer_id
),

dim_customers as (
    select
        {{ version_key('customer_id', 'valid_from') }} as customer_key,
        *
    from versions
    union all
    select
        {{ unknown_key() }} as customer_key,
        null as customer_id,
        {{ unknown_country() }} as country,
        false as has_marketing_consent,
        null as first_order_date,
        {{ first_valid_from() }} as valid_from,
        null as valid_to,
        true as is_current
)

select * from dim_customers
order by customer_id nulls first
