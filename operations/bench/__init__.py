"""Measurements of the running platform, by real clients on a schedule of their own."""
