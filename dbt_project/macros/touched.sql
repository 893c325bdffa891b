{#
    Gold that goes on from the last one. The private file begins as its copy, the last gold itself is
    open as `last_gold`, read-only, and the schema memory.touched says what to build anew:
        added_lines, removed_lines    rows of the files of silver.order_lines that are new or gone
        order_days                    days on which a line came, went or changed, or that are named
        order_lines                   silver's lines of these days, as the staging model gives them
        orders, orders_elsewhere      orders with a line on these days, now or then; their other days
        added_events, removed_events  rows of the files of silver.web_events that are new or gone
        sessions, web_events          sessions of which an event came, went or changed; their events
    A row in both of added and removed only moved from one file to another. Without the variable
    `last_gold`, and for the linter, every model builds everything.
#}
{% macro goes_on() -%}
    {{ return(true if execute and var('last_gold', none) is not none else false) }}
{%- endmacro %}

{# The order lines to count: those of the touched days, or all. #}
{% macro touched_lines(whole) -%}
    {{ 'memory.touched.order_lines' if goes_on() else whole }}
{%- endmacro %}

{# A table of the last gold. #}
{% macro last_gold(relation) -%}
    last_gold.{{ relation.schema }}.{{ relation.identifier }}
{%- endmacro %}

{# Values of the first column of a query, as Python has them. #}
{% macro values_of(query) %}
    {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}

{# A condition that holds on these days: in literals, so that whole files and row groups are skipped. #}
{% macro on_days(column, days) -%}
    {%- if not days -%}
        false
    {%- else -%}
        {{ column }} in (
            {%- for day in days %}date '{{ day }}'{{ ', ' if not loop.last }}{% endfor -%}
        )
    {%- endif -%}
{%- endmacro %}

{# Condition for the days of order lines that are touched. #}
{% macro on_order_days(column) -%}
    {{ on_days(column, values_of('select order_date from memory.touched.order_days order by all')) }}
{%- endmacro %}

{#
    Notes the days of this model that are built anew: the strategy deletes them first. Returns the
    condition that selects them, which is true where everything is built.
#}
{% macro touch_days(column, query) %}
    {% if goes_on() %}
        {% do run_query('create or replace table memory.touched.' ~ this.identifier ~ '_days as select distinct day from (' ~ query ~ ') as days (day) where day is not null') %}
    {% endif %}
    {{ return(on_touched_days(column)) }}
{% endmacro %}

{# Condition for the days that this model has noted. #}
{% macro on_touched_days(column) %}
    {{ return(on_days(column, noted_days(this)) if goes_on() else 'true') }}
{% endmacro %}

{# The days that a model has noted, in their order. #}
{% macro noted_days(relation) %}
    {{ return(values_of('select day from memory.touched.' ~ relation.identifier ~ '_days order by all')) }}
{% endmacro %}

{# Notes the keys of rows of this model that are built anew, beside whole days of it. #}
{% macro touch_keys(query) %}
    {% do run_query('create or replace table memory.touched.' ~ this.identifier ~ '_keys as ' ~ query) %}
{% endmacro %}

{#
    When a dimension says something else of a member than the last gold did: notes spans of time
    (id, changed_from, changed_until), ends exclusive, in memory.touched.<model>_<name>, and returns
    the condition that a fact row of the last gold lies in one. A member that the last gold did not
    know counts only with `even_new`: no fact of the others can have named it.
#}
{% macro touch_spans(name, dimension, id, columns, fact_id, moment, even_new=false) %}
    {% set noted = 'memory.touched.' ~ this.identifier ~ '_' ~ name %}
    {% do run_query(
        'create or replace table ' ~ noted ~ ' as ' ~ changed_spans(dimension, id, columns, even_new)
    ) %}
    {{ return(
        '(exists (select 1 from ' ~ noted ~ ' as spans where spans.id = ' ~ fact_id ~ ' and '
        ~ moment ~ ' >= spans.changed_from and ' ~ moment ~ ' < spans.changed_until))'
    ) }}
{% endmacro %}

{# Where all these spans lie, in literals: rows of other times need not be read. #}
{% macro within_spans(names, moment) %}
    {% set spans = [] %}
    {% for name in names %}
        {% do spans.append('select * from memory.touched.' ~ this.identifier ~ '_' ~ name) %}
    {% endfor %}
    {% set ends = values_of(
        'select unnest([min(changed_from)::varchar, max(changed_until)::varchar]) from ('
        ~ spans | join(' union all ') ~ ')'
    ) %}
    {% if ends[0] is none %}
        {{ return('false') }}
    {% endif %}
    {{ return(
        moment ~ " >= timestamp '" ~ ends[0] ~ "' and " ~ moment ~ " < timestamp '" ~ ends[1] ~ "'"
    ) }}
{% endmacro %}

{% macro changed_spans(dimension, id, columns, even_new) -%}
    with olds as (
        {{ versions_of(last_gold(dimension), [id] + columns) }}
    ),
    news as (
        {{ versions_of(dimension, [id] + columns) }}
    ),
    changed as (
        select {{ id }} from (select * from olds except select * from news)
        union
        select {{ id }} from (select * from news except select * from olds)
    ),
    bounds as (
        select distinct {{ id }}, valid_from
        from (select {{ id }}, valid_from from olds union all select {{ id }}, valid_from from news)
        where {{ id }} in (select {{ id }} from changed)
        {%- if not even_new %} and {{ id }} in (select {{ id }} from olds){% endif %}
    ),
    spans as (
        select
            {{ id }} as id,
            valid_from as changed_from,
            lead(valid_from, 1, timestamp 'infinity') over (
                partition by {{ id }} order by valid_from
            ) as changed_until
        from bounds
    )
    select spans.*
    from spans
    left join olds on spans.id = olds.{{ id }} and {{ valid_at('spans.changed_from', 'olds') }}
    left join news on spans.id = news.{{ id }} and {{ valid_at('spans.changed_from', 'news') }}
    where
        ({% for each in columns %}olds.{{ each }}{{ ', ' if not loop.last }}{% endfor %}, olds.{{ id }})
        is distinct from
        ({% for each in columns %}news.{{ each }}{{ ', ' if not loop.last }}{% endfor %}, news.{{ id }})
{%- endmacro %}

{# Days whose customers are new on another day than the last gold knew. #}
{% macro moved_first_days(customers) -%}
    {%- set parts = [last_gold(customers), customers] -%}
    {%- for ones, others in [parts, parts | reverse | list] %}
    select first_order_date
    from (
        select customer_id, first_order_date from {{ ones }} where is_current
        except
        select customer_id, first_order_date from {{ others }} where is_current
    )
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#
    The strategy of the facts: touched days and keys leave, what was built anew takes their place, and
    no other row is written.
#}
{% macro get_incremental_touched_sql(arg_dict) %}
    {% set target, unique_key = arg_dict['target_relation'], arg_dict['unique_key'] %}
    {% set day, notes = (config.get('meta') or {}).get('touched_by'), 'memory.touched.' ~ target.identifier %}
    {% set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) %}
    {% if day is not none %}
        {% set days = noted_days(target) %}
        {% if days %}
            delete from {{ target }} where {{ on_days(day, days) }};
        {% endif %}
    {% endif %}
    {% if unique_key and values_of('select count(*) from ' ~ notes ~ '_keys')[0] %}
        delete from {{ target }} using {{ notes }}_keys as gone
        where
            {%- for each in unique_key %}
            {{ target }}.{{ each }} = gone.{{ each }} {{ 'and' if not loop.last }}
            {%- endfor %};
    {% endif %}
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}

{# Comments lie in the copy of the last gold already: writing them again costs a statement each. #}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if not (goes_on() and model.config.materialized == 'incremental') -%}
        {{ default__persist_docs(relation, model, for_relation, for_columns) }}
    {%- endif -%}
{%- endmacro %}
