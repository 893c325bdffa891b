{#
    The steps of a visit in their order: values of event_type on web events. Whoever reaches a step
    counts at all before it, also where the event of an earlier step never came.
#}
{% macro funnel_steps() %}
    {{ return(['page_view', 'product_view', 'add_to_cart', 'checkout', 'purchase']) }}
{% endmacro %}
