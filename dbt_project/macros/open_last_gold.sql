{#
    Opens the gold that this build goes on from, and finds what changed in silver since (see
    macros/touched.sql). The relations of added and removed files come from the variables
    <table>_added and <table>_removed, the days that a backfill named from `named_days`.
#}
{% macro open_last_gold() %}
    {% if goes_on() %}
        {% do run_query("attach if not exists '" ~ var('last_gold') | replace("'", "''") ~ "' as last_gold (read_only)") %}
        {% do run_query('create schema if not exists memory.touched') %}
        {% for name in ['lines_added', 'lines_removed', 'events_added', 'events_removed'] %}
            {% set what, how = name.split('_') %}
            {% do run_query(
                'create or replace view memory.touched.' ~ how ~ '_' ~ what ~ ' as select * from ' ~ var('silver_' ~ name)
            ) %}
        {% endfor %}
        {% do run_query(changed_rows('order_days', 'order_date', 'lines', ['event_id', 'line_number'])) %}
        {% for named in var('named_days', []) %}
            {% do run_query(named_days(named)) %}
        {% endfor %}
        {% do run_query(
            'create or replace table memory.touched.order_lines as select '
            ~ 'order_lines.* exclude (content_hash) replace (cast(ordered_at as timestamptz) at time zone \'UTC\' as ordered_at) from ('
            ~ of_days('memory.silver.order_lines', 'order_date', 'order_month',
                values_of('select order_date from memory.touched.order_days order by all'))
            ~ ') as order_lines'
        ) %}
        {% do run_query('create or replace table memory.touched.orders as ' ~ orders_of_touched_days()) %}
        {% do run_query('create or replace table memory.touched.orders_elsewhere as ' ~ other_days_of_orders()) %}
        {% do run_query(changed_rows('sessions', 'session_id', 'events', ['event_id'])) %}
        {% do run_query(
            'create or replace table memory.touched.web_events as select '
            ~ 'web_events.* replace (cast(occurred_at as timestamptz) at time zone \'UTC\' as occurred_at) from ('
            ~ of_days('memory.silver.web_events', 'event_date', none, values_of(days_of_sessions()))
            ~ ') as web_events where session_id in (select session_id from memory.touched.sessions)'
        ) %}
    {% endif %}
{% endmacro %}

{# Values of a column of the rows that came, went or changed. #}
{% macro changed_rows(table, column, what, key) -%}
    {%- set facts = key + [
        column, 'content_hash', 'refined_batch', 'source_topic', 'source_partition', 'source_offset'
    ] -%}
    create or replace table memory.touched.{{ table }} as
    with added as (
        select {{ facts | join(', ') }} from memory.touched.added_{{ what }}
    ),
    removed as (
        select {{ facts | join(', ') }} from memory.touched.removed_{{ what }}
    )
    select distinct {{ column }}
    from (
        {% if var('silver_' ~ what ~ '_rewritten', false) -%}
        (select * from added except select * from removed)
        union all
        (select * from removed except select * from added)
        {%- else -%}
        select * from added
        {%- endif %}
    )
{%- endmacro %}

{# Adds the days of an operation in the ledger; no end: to the end of the calendar. #}
{% macro named_days(named) -%}
    insert into memory.touched.order_days
    select date_day from last_gold.gold.dim_dates
    where
        date_day >= coalesce({{ day_or_null(named['from']) }}, date_day)
        and date_day <= coalesce({{ day_or_null(named['to']) }}, date_day)
        and date_day not in (select order_date from memory.touched.order_days)
{%- endmacro %}

{% macro day_or_null(text) -%}
    {{ "date '" ~ text ~ "'" if text else 'cast(null as date)' }}
{%- endmacro %}

{# Days on which a touched session may have events: those of its new ones, and of its visit till now. #}
{% macro days_of_sessions() -%}
    select event_date from memory.touched.added_events
    where session_id in (select session_id from memory.touched.sessions)
    union
    select cast(unnest(generate_series(
        cast(started_at as date) - interval 1 day, cast(ended_at as date) + interval 1 day, interval 1 day
    )) as date)
    from last_gold.gold.fct_sessions
    where session_id in (select session_id from memory.touched.sessions)
    order by all
{%- endmacro %}

{#
    Rows of a Delta table of these days. Only a range of days lets it skip files by their statistics,
    a list does not; so each run of days is a scan of its own, and neighbours share one from the
    eighth on.
#}
{% macro of_days(relation, column, month, days) -%}
    {%- set runs = runs_of(days) -%}
    {%- for run in runs %}
    select * from {{ relation }}
    where {{ column }} >= date '{{ run[0] }}' and {{ column }} <= date '{{ run[-1] }}'
    {%- if month %} and {{ month }} >= '{{ run[0].strftime('%Y-%m') }}' and {{ month }} <= '{{ run[-1].strftime('%Y-%m') }}'{% endif %}
    and {{ on_days(column, run) }}
    {{ 'union all' if not loop.last }}
    {%- else %}
    select * from {{ relation }} where false
    {%- endfor %}
{%- endmacro %}

{# Days in their order as at most eight lists, split at the widest gaps. #}
{% macro runs_of(days) %}
    {% set gaps = [] %}
    {% for day in days[1:] %}
        {% set width = (day - days[loop.index0]).days %}
        {% if width > 1 %}
            {% do gaps.append((-width, loop.index)) %}
        {% endif %}
    {% endfor %}
    {% set cuts = [0] + (gaps | sort)[:7] | map('last') | sort | list + [days | length] %}
    {% set runs = [] %}
    {% for cut in cuts[:-1] %}
        {% do runs.append(days[cut:cuts[loop.index]]) if days %}
    {% endfor %}
    {{ return(runs) }}
{% endmacro %}
