{# Orders and credit notes with a line on a touched day, now or in the last gold. #}
{% macro orders_of_touched_days() -%}
    select
        source_system,
        order_id
    from memory.touched.order_lines
    where line_class in ('sale', 'cancellation')
    union
    select
        source_system,
        order_id
    from last_gold.gold.fct_order_lines
    where line_class in ('sale', 'cancellation') and {{ on_order_days('order_date') }}
{%- endmacro %}

{#
    Days that are not touched and hold a line of an order that is. An order of the last gold has lines
    on its own day only, unless it was continued on others.
#}
{% macro other_days_of_orders() -%}
    select
        source_system,
        order_id,
        order_date
    from (
        select source_system, order_id, order_date from last_gold.gold.fct_orders
        union
        select source_system, order_id, order_date from last_gold.carried.int_orders_continued
    )
    where
        not ({{ on_order_days('order_date') }})
        and (source_system, order_id) in (from memory.touched.orders)
{%- endmacro %}

{# Web orders that the last gold had and this one has not, or the other way round. #}
{% macro orders_that_came_or_went(orders) -%}
    {%- set parts = [last_gold(orders), orders] -%}
    {%- for ones, others in [parts, parts | reverse | list] %}
    (
        select order_id from {{ ones }}
        where
            source_system = 'web'
            and order_id in (
                select order_id from memory.touched.fct_orders_keys where source_system = 'web'
            )
        except
        select order_id from {{ others }} where source_system = 'web'
    )
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Further condition for lines of touched days, and for those of the same orders on other days. #}
{% macro only_orders_of_days(elsewhere) -%}
    and (
        {{ on_order_days('order_date') }}
        or (
            {{ elsewhere }}
            and (order_date, source_system, order_id) in (
                select (order_date, source_system, order_id)
                from memory.touched.orders_elsewhere
            )
        )
    )
{%- endmacro %}
