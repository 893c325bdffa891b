with changes as (
    select * from {{ ref('stg_silver__customer_contacts') }}
),

dim_customer_contacts as (
    select
        customer_id,
        name,
        email,
        address
    from changes
    qualify row_number() over (partition by customer_id order by changed_at desc, event_id desc) = 1
)

select * from dim_customer_contacts
order by customer_id
