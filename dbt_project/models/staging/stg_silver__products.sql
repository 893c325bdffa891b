with source as (
    select * from {{ source('silver', 'products') }}
),

stg_silver__products as (
    select
        event_id,
        sku,
        cast(changed_at as timestamptz) at time zone 'UTC' as changed_at,
        description,
        category,
        unit_price,
        is_active
    from source
)

select * from stg_silver__products
