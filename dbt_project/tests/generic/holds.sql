{# Fails for each row for which the expression is false or null. #}
{% test holds(model, expression) %}
    select *
    from {{ model }}
    where not coalesce({{ expression }}, false)
{% endtest %}
