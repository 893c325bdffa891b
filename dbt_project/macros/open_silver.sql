{#
    Opens the silver tables that this run reads, as views in memory. The text of each relation comes
    from the variable silver_<table>, e.g. delta_scan('...', version=7): so a run is pinned, and the
    views' names, and with them the lineage and the parsed project, stay the same from run to run.
#}
{% macro open_silver() %}
    {% if execute %}
        {% if var('delta_extension', none) is not none %}
            load '{{ var("delta_extension") | replace("'", "''") }}';
        {% endif %}
        create schema if not exists memory.silver;
        {% for node in graph.sources.values() %}
            create or replace view {{ node.relation_name }} as
            select * from {{ var('silver_' ~ node.name) }};
        {% endfor %}
    {% endif %}
{% endmacro %}
