with skus as (
    select sku from {{ ref('int_products_described') }}
    union
    select sku from {{ ref('stg_silver__products') }}
),

names as (
    select * from {{ ref('int_products_named') }}
),

catalog as (
    select * from {{ ref('int_products_versioned') }}
),

members as (
    select
        skus.sku,
        coalesce(names.description, catalog.description) as description,
        catalog.description as catalog_description,
        catalog.category,
        catalog.unit_price,
        catalog.is_active,
        {{ is_product('skus.sku') }} as is_product,
        coalesce(catalog.valid_from, {{ first_valid_from() }}) as valid_from,
        catalog.valid_to,
        catalog.valid_to is null as is_current
    from skus
    left join names on skus.sku = names.sku
    left join catalog on skus.sku = catalog.sku
),

dim_products as (
    select
        {{ version_key('sku', 'valid_from') }} as product_key,
        *
    from members
    union all
    select
        {{ unknown_key() }} as product_key,
        null as sku,
        'Unknown product' as description,
        null as catalog_description,
        null as category,
        null as unit_price,
        null as is_active,
        false as is_product,
        {{ first_valid_from() }} as valid_from,
        null as valid_to,
        true as is_current
)

select * from dim_products
order by sku nulls first, valid_from
