with countries as (
    select country from {{ ref('int_orders_grouped') }}
    union
    select country from {{ ref('stg_silver__customers') }}
    union
    select {{ unknown_country() }} as country
),

known as (
    {%- for source_name, name, iso_code, region in known_countries() %}
    select
        '{{ source_name | lower }}' as source_name,
        '{{ name }}' as country_name,
        {{ "'" ~ iso_code ~ "'" if iso_code else 'null' }} as iso_code,
        '{{ region }}' as region
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

dim_countries as (
    select
        countries.country,
        coalesce(known.country_name, countries.country) as country_name,
        known.iso_code,
        coalesce(known.region, 'Unknown') as region,
        coalesce(known.iso_code = {{ home_country() }}, false) as is_domestic,
        known.source_name is not null as is_known
    from countries
    left join known on lower(trim(countries.country)) = known.source_name
)

select * from dim_countries
order by country
