"""The bottom layer: settings, contracts, and the only doors to Delta, Spark and DuckDB."""
