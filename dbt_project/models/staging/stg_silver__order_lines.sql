with source as (
    select * from {{ source('silver', 'order_lines') }}
),

stg_silver__order_lines as (
    select
        event_id,
        line_number,
        source_system,
        order_id,
        line_class,
        sku,
        description,
        customer_id,
        country,
        cast(ordered_at as timestamptz) at time zone 'UTC' as ordered_at,
        order_date,
        order_month,
        quantity,
        unit_price,
        line_amount,
        currency,
        refined_batch,
        source_topic,
        source_partition,
        source_offset
    from source
)

select * from stg_silver__order_lines
