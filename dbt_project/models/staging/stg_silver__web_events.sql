with source as (
    select * from {{ source('silver', 'web_events') }}
),

stg_silver__web_events as (
    select
        event_id,
        session_id,
        visitor_id,
        customer_id,
        event_type,
        sku,
        order_id,
        device_type,
        experiment,
        arm,
        cast(occurred_at as timestamptz) at time zone 'UTC' as occurred_at,
        event_date
    from source
)

select * from stg_silver__web_events
