{#
    Ties between customers: by their number, then by their text, so that a score never depends on
    the order in which rows are read.
#}
{% macro customer_order() -%}
    try_cast(customer_id as hugeint) asc nulls last, customer_id asc
{%- endmacro %}

{#
    Segment of a customer by recency and frequency score, 1 to 5 each: the ten cells that retail
    analysts commonly draw on that grid. Monetary value is a score of its own and moves nobody.
#}
{% macro rfm_segment(r, f) -%}
    case
        when {{ r }} = 5 and {{ f }} >= 4 then 'champions'
        when {{ r }} >= 3 and {{ f }} >= 4 then 'loyal_customers'
        when {{ r }} >= 4 and {{ f }} >= 2 then 'potential_loyalists'
        when {{ r }} = 5 then 'new_customers'
        when {{ r }} = 4 then 'promising'
        when {{ r }} = 3 and {{ f }} = 3 then 'need_attention'
        when {{ r }} = 3 then 'about_to_sleep'
        when {{ f }} = 5 then 'cannot_lose_them'
        when {{ f }} >= 3 then 'at_risk'
        else 'hibernating'
    end
{%- endmacro %}
