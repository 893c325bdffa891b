"""Alerts: rules as data, judged on gold and on the platform's state, each trouble told once.

In: `rules.toml`, gold in service, the last run's report. Out: incidents and notices in
`ops/alerts.sqlite`, mails, webhooks. Run standalone: `lake alerts check`. What each rule means and
how an incident goes on: docs/alerts.md.
"""
