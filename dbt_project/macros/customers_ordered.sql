{# A line's place among those of its customer: later ones are greater. #}
{% macro place_of_line() -%}
    {
        'ordered_at': ordered_at,
        'source_system': source_system,
        'order_id': order_id,
        'event_id': event_id
    }
{%- endmacro %}

{# What order lines say of each customer: the first day with a sale, and the last line of any class. #}
{% macro ordered_by_customer(lines) -%}
    select
        customer_id,
        arg_max(country, {{ place_of_line() }}) as country,
        min(order_date) filter (where line_class = 'sale') as first_order_date,
        arg_max(order_date, {{ place_of_line() }}) as last_line_date,
        max({{ place_of_line() }}) as last_line
    from {{ lines }}
    where customer_id is not null
    group by customer_id
{%- endmacro %}
