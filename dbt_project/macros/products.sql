{# Whether a stock code is a product: any code but a service code. An absent code is none. #}
{% macro is_product(sku) -%}
    coalesce(
        {{ sku }} not in (
            {%- for code in var('service_codes') -%}
                '{{ code }}'{{ ', ' if not loop.last }}
            {%- endfor -%}
        )
        and not starts_with({{ sku }}, '{{ var("service_code_prefix") }}'),
        false
    )
{%- endmacro %}
