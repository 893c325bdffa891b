{#
    Opens the silver tables that this run reads, as views in memory. The variable silver_<table>
    says what a view reads; attach_silver has the statements that open it before, each a Delta table
    at one version: so a run is pinned and reads each table's log once, and the views' names, and
    with them the lineage and the parsed project, stay the same from run to run.
#}
{% macro open_silver() %}
    {% if execute %}
        {% if var('delta_extension', none) is not none %}
            load '{{ var("delta_extension") | replace("'", "''") }}';
        {% endif %}
        {% for statement in var('attach_silver', []) %}
            {{ statement }};
        {% endfor %}
        create schema if not exists memory.silver;
        {% for node in graph.sources.values() %}
            create or replace view {{ node.relation_name }} as
            select * from {{ var('silver_' ~ node.name) }};
        {% endfor %}
    {% endif %}
{% endmacro %}
