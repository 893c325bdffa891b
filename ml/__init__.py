"""Models of the shop's customers and sales: features, segments, churn, lifetime value, forecast.

In: gold, or a file of sales. Out: the tables `scores.*`, and results of `lake ml` on any file.
Run standalone: `lake ml --help`. Formulas and sources: docs/models.md.
"""
