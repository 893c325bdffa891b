with skus as (
    select sku from {{ ref('stg_silver__order_lines') }}
    where sku is not null
    union
    select sku from {{ ref('int_products_catalogued') }}
),

names as (
    select * from {{ ref('int_products_named') }}
),

catalog as (
    select * from {{ ref('int_products_catalogued') }}
),

versions as (
    select
        skus.sku,
        coalesce(names.description, catalog.description) as description,
        catalog.category,
        catalog.unit_price,
        {{ is_product('skus.sku') }} as is_product,
        {{ first_valid_from() }} as valid_from,
        cast(null as timestamp) as valid_to,
        true as is_current
    from skus
    left join names on skus.sku = names.sku
    left join catalog on skus.sku = catalog.sku
),

dim_products as (
    select
        {{ version_key('sku', 'valid_from') }} as product_key,
        *
    from versions
    union all
    select
        {{ unknown_key() }} as product_key,
        null as sku,
        'Unknown product' as description,
        null as category,
        null as unit_price,
        false as is_product,
        {{ first_valid_from() }} as valid_from,
        null as valid_to,
        true as is_current
)

select * from dim_products
order by sku nulls first
