with source as (
    select * from {{ source('silver', 'customer_contacts') }}
),

stg_silver__customer_contacts as (
    select
        event_id,
        customer_id,
        cast(changed_at as timestamptz) at time zone 'UTC' as changed_at,
        name,
        email,
        address
    from source
)

select * from stg_silver__customer_contacts
