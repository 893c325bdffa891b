with products_sold as (
    select distinct
        source_system,
        order_id,
        sku
    from {{ ref('fct_order_lines') }}
    where line_class = 'sale' and is_product
),

baskets as (
    select
        *,
        count(*) over (partition by source_system, order_id) as product_count
    from products_sold
    qualify product_count <= {{ var('basket_most_products') }}
),

orders as (
    select distinct
        source_system,
        order_id
    from baskets
),

basket_counts as (
    select count(*) as basket_count
    from orders
),

products as (
    select
        sku,
        count(*) as order_count
    from baskets
    group by sku
    having count(*) >= {{ var('basket_least_orders') }}
),

frequent as (
    select
        baskets.source_system,
        baskets.order_id,
        baskets.sku
    from baskets
    inner join products on baskets.sku = products.sku
),

pairs as (
    select
        ones.sku as first_sku,
        mates.sku as second_sku,
        count(*) as order_count
    from frequent as ones
    inner join frequent as mates
        on
            ones.source_system = mates.source_system
            and ones.order_id = mates.order_id
            and ones.sku < mates.sku
    group by ones.sku, mates.sku
    having count(*) >= {{ var('basket_least_orders') }}
),

fct_basket_pairs as (
    select
        pairs.first_sku,
        pairs.second_sku,
        pairs.order_count,
        firsts.order_count as first_order_count,
        seconds.order_count as second_order_count,
        basket_counts.basket_count,
        cast(
            {{ ratio('pairs.order_count', 'basket_counts.basket_count') }} as decimal(18, 4)
        ) as support_rate,
        cast(
            {{ ratio('pairs.order_count', 'firsts.order_count') }} as decimal(18, 4)
        ) as confidence_rate,
        cast(
            {{ ratio(
                'pairs.order_count * basket_counts.basket_count',
                'firsts.order_count * seconds.order_count'
            ) }} as decimal(18, 4)
        ) as lift
    from pairs
    inner join products as firsts on pairs.first_sku = firsts.sku
    inner join products as seconds on pairs.second_sku = seconds.sku
    cross join basket_counts
)

select * from fct_basket_pairs
order by first_sku, second_sku
