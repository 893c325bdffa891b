"""The semantic layer: metrics declared once in the dbt project, asked for any grain and filter."""
