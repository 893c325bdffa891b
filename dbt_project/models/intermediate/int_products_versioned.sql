with changes as (
    select * from {{ ref('stg_silver__products') }}
),

{{ versions_from('changes', 'sku', ['description', 'category', 'unit_price', 'is_active']) }}

int_products_versioned as (
    select * from versions
)

select * from int_products_versioned
