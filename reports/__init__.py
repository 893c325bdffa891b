"""What the platform says unasked: reports by mail, and alerts of its KPIs.

In: gold in service and the state of the platform. Out: mails, webhooks, and the tables `ops.*`
that remember what was sent. Run standalone: `lake report --help`, `lake alerts --help`.
"""
