{#
    The one definition of each amount and count over order lines (columns of fct_order_lines).
    Gross is the sale lines, cancelled the cancellation lines (negative), net both; adjustments,
    stock movements and lines at price zero are in none. A sum is cast back: it widens its type.
#}
{% macro gross_amount() -%}
    cast(coalesce(sum(line_amount) filter (where line_class = 'sale'), 0) as decimal(18, 4))
{%- endmacro %}

{% macro cancelled_amount() -%}
    cast(coalesce(sum(line_amount) filter (where line_class = 'cancellation'), 0) as decimal(18, 4))
{%- endmacro %}

{% macro net_amount() -%}
    cast(
        coalesce(sum(line_amount) filter (where line_class in ('sale', 'cancellation')), 0)
        as decimal(18, 4)
    )
{%- endmacro %}

{# Sale lines. #}
{% macro line_count() -%}
    count(*) filter (where line_class = 'sale')
{%- endmacro %}

{# Pieces on sale lines. #}
{% macro item_quantity() -%}
    cast(coalesce(sum(quantity) filter (where line_class = 'sale'), 0) as bigint)
{%- endmacro %}

{# Distinct orders with a sale line. Never add these up over days: count again. #}
{% macro order_count() -%}
    count(distinct (source_system, order_id)) filter (where line_class = 'sale')
{%- endmacro %}

{# Distinct identified customers with a sale line. #}
{% macro active_customers() -%}
    count(distinct customer_id) filter (where line_class = 'sale')
{%- endmacro %}

{# Of these, the ones whose first sale is of the line's day; lines carry that day. #}
{% macro new_customers() -%}
    count(distinct customer_id) filter (
        where line_class = 'sale' and order_date = first_order_date
    )
{%- endmacro %}
