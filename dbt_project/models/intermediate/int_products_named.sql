with names as (
    select
        sku,
        description,
        sum(sale_line_count) as sale_line_count
    from {{ ref('int_products_described') }}
    where sale_line_count > 0 and description is not null
    group by sku, description
),

int_products_named as (
    select
        sku,
        description
    from names
    qualify row_number() over (
        partition by sku order by sale_line_count desc, description asc
    ) = 1
)

select * from int_products_named
