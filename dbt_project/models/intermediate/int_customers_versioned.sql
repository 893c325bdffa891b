with changes as (
    select * from {{ ref('stg_silver__customers') }}
),

{{ versions_from('changes', 'customer_id', ['country', 'has_marketing_consent']) }}

int_customers_versioned as (
    select * from versions
)

select * from int_customers_versioned
