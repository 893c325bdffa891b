"""The page Executive as files: HTML, PDF and csv, each with every row of every table."""
