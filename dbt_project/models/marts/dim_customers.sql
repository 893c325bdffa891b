with ordered as (
    select * from {{ ref('int_customers_ordered') }}
),

profiles as (
    select * from {{ ref('int_customers_versioned') }}
),

members as (
    select
        coalesce(profiles.customer_id, ordered.customer_id) as customer_id,
        coalesce(profiles.country, ordered.country) as country,
        coalesce(profiles.has_marketing_consent, false) as has_marketing_consent,
        ordered.first_order_date,
        coalesce(profiles.valid_from, {{ first_valid_from() }}) as valid_from,
        profiles.valid_to,
        profiles.valid_to is null as is_current
    from profiles
    full outer join ordered on profiles.customer_id = ordered.customer_id
),

dim_customers as (
    select
        {{ version_key('customer_id', 'valid_from') }} as customer_key,
        *
    from members
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
order by customer_id nulls first, valid_from
