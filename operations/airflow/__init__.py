"""Airflow beside the platform: in an environment of its own, in a folder of its own.

In: settings and `dags/`. Out: Airflow's programs started, stopped and asked. Only `in_airflow` runs
inside Airflow's environment; the other modules run in ours, where Airflow is not installed.
"""
