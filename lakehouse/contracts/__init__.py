"""Topics, tables, columns, reasons and line classes as data: the one place where they are named."""

from lakehouse.contracts.reasons import REASONS, Reason
from lakehouse.contracts.tables import TABLES, Column, Table, table
from lakehouse.contracts.topics import SOURCE_TOPICS, TOPICS, Field, Topic, dead_letter_topic, topic

__all__ = [
    "REASONS",
    "SOURCE_TOPICS",
    "TABLES",
    "TOPICS",
    "Column",
    "Field",
    "Reason",
    "Table",
    "Topic",
    "dead_letter_topic",
    "table",
    "topic",
]
