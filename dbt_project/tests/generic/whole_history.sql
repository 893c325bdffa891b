{#
    Fails for each version of a member that does not end where the next one begins, so for a gap, an
    overlap and an empty span; for a history that does not begin before any fact; and for a current
    version that is not the last one.
#}
{% test whole_history(model, id) %}
    with
    neighbours as (
        select
            {{ id }},
            valid_from,
            valid_to,
            is_current,
            lead(valid_from) over (partition by {{ id }} order by valid_from) as next_from,
            row_number() over (partition by {{ id }} order by valid_from) as version_number
        from {{ model }}
    )

    select *
    from neighbours
    where
        valid_to is distinct from next_from
        or valid_from >= valid_to
        or is_current <> (next_from is null)
        or (version_number = 1 and valid_from <> {{ first_valid_from() }})
{% endtest %}
