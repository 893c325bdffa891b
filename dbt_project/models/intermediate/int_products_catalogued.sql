with changes as (
    select * from {{ ref('stg_silver__products') }}
),

int_products_catalogued as (
    select
        sku,
        description,
        category,
        unit_price
    from changes
    qualify row_number() over (partition by sku order by changed_at desc, event_id desc) = 1
)

select * from int_products_catalogued
