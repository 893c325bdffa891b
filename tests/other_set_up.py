"""The environment of somebody who also works with another Spark, Python, dbt, Dash and proxy."""

from pathlib import Path

ODD_NAME = 'it\'s a "shop", größe #1'
"""A folder's name with signs that shells, Java, Spark and SQL read as something else."""


def other_set_up(folder: Path) -> dict[str, str]:
    """Variables that must not reach our engines; `folder` gets a module that must not be loaded."""
    for name in ("pyspark", "dbt"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise ImportError('of another set-up')\n")
    return {
        "SPARK_HOME": str(folder),
        "SPARK_CONF_DIR": str(folder),
        "SPARK_REMOTE": "sc://127.0.0.1:9",
        "SPARK_LOCAL_IP": "192.0.2.1",
        "PYSPARK_SUBMIT_ARGS": "--master yarn pyspark-shell",
        "PYSPARK_PYTHON": str(folder / "python"),
        "HADOOP_CONF_DIR": str(folder),
        "DBT_RESOURCE_TYPES": "model",
        "DBT_TARGET": "elsewhere",
        "DASH_URL_BASE_PATHNAME": "/elsewhere/",
        "PYTHONPATH": str(folder),
        "JAVA_TOOL_OPTIONS": "-Duser.language=tr -Duser.country=TR -javaagent:none.jar",
        "CLASSPATH": str(folder),
        "LC_ALL": "tr_TR.UTF-8",
        "http_proxy": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "all_proxy": "http://127.0.0.1:9",
    }
