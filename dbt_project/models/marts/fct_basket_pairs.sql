with orders as (
    select
        source_system,
        order_id,
        case
            when count(*) = 1 then any_value(skus)
            else list_distinct(flatten(list(skus)))
        end as skus
    from {{ ref('int_baskets_filled') }}
    group by source_system, order_id
),

baskets as (
    select
        row_number() over () as basket_number,
        skus
    from orders
    where len(skus) <= {{ var('basket_most_products') }}
),

basket_counts as (
    select count(*) as basket_count
    from baskets
),

products_sold as (
    select
        basket_number,
        unnest(skus) as sku
    from baskets
),

-- Numbers instead of codes: a pair of two of them is counted several times faster.
products as (
    select
        sku,
        count(*) as order_count,
        cast(row_number() over (order by count(*) desc, sku asc) as integer) as product_number
    from products_sold
    group by sku
    having count(*) >= {{ var('basket_least_orders') }}
    qualify product_number <= {{ var('basket_products') }}
),

frequent as (
    select
        products_sold.basket_number,
        products.product_number
    from products_sold
    inner join products on products_sold.sku = products.sku
),

counted as (
    select
        ones.product_number as one_number,
        mates.product_number as mate_number,
        count(*) as order_count
    from frequent as ones
    inner join frequent as mates
        on
            ones.basket_number = mates.basket_number
            and ones.product_number < mates.product_number
    group by ones.product_number, mates.product_number
    having count(*) >= {{ var('basket_least_orders') }}
),

pairs as (
    select
        least(ones.sku, mates.sku) as first_sku,
        greatest(ones.sku, mates.sku) as second_sku,
        counted.order_count
    from counted
    inner join products as ones on counted.one_number = ones.product_number
    inner join products as mates on counted.mate_number = mates.product_number
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
