with changes as (
    select * from {{ ref('stg_silver__customers') }}
),

int_customers_profiled as (
    select
        customer_id,
        country,
        has_marketing_consent
    from changes
    qualify row_number() over (partition by customer_id order by changed_at desc, event_id desc) = 1
)

select * from int_customers_profiled
