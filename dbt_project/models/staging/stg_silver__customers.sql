with source as (
    select * from {{ source('silver', 'customers') }}
),

stg_silver__customers as (
    select
        event_id,
        customer_id,
        cast(changed_at as timestamptz) at time zone 'UTC' as changed_at,
        country,
        has_marketing_consent
    from source
)

select * from stg_silver__customers
