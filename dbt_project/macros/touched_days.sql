{# The web events to count: those of the touched sessions, or all. #}
{% macro touched_events(whole) -%}
    {{ 'memory.touched.web_events' if goes_on() else whole }}
{%- endmacro %}

{# Days on which a touched session began, now or in the last gold. #}
{% macro days_of_touched_sessions(sessions) -%}
    {%- for each in [sessions, last_gold(sessions)] %}
    select session_date from {{ each }}
    where session_id in (select session_id from memory.touched.sessions)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#
    Days since the last day with an order line, seen from each day of the calendar: null before the
    first one.
#}
{% macro freshness_of(dates) -%}
    select
        date_day,
        date_day - max(case when is_trading_day then date_day end) over (order by date_day)
            as freshness_days
    from {{ dates }}
{%- endmacro %}

{#
    Days whose KPIs may differ: those of order lines and of sessions that are touched, those on which
    a customer was or now is new, those that entered or left the calendar, and those from which the
    last trading day is another number of days away.
#}
{% macro days_of_kpis(customers, dates) -%}
    {%- set parts = [last_gold(dates), dates] -%}
    select order_date from memory.touched.order_days
    union all
    select day from memory.touched.fct_daily_funnel_days
    union all
    {{ moved_first_days(customers) }}
    {%- for ones, others in [parts, parts | reverse | list] %}
    union all
    select date_day
    from (select * from ({{ freshness_of(ones) }}) except select * from ({{ freshness_of(others) }}))
    {%- endfor %}
{%- endmacro %}

{# Sessions of the last gold as they were counted, to be joined again. #}
{% macro known_sessions(source) -%}
    select * exclude (
        customer_key, duration_seconds, has_order
        {%- for step in funnel_steps() %}, has_{{ step }}{% endfor %}
    ) {{ source }}
{%- endmacro %}
