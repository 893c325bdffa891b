"""The child process that runs dbt, on a copy of the project in its state folder."""

from lakehouse.processes.worker import serve
from lakehouse.settings import Settings
from pipelines.gold import dbt_child

if __name__ == "__main__":
    vars(dbt_child)["PROJECT_ROOT"] = Settings().home
    serve(dbt_child.parsed_project)
