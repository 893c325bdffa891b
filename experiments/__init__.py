"""Experiments: who gets which arm, how many units it takes, and what the figures say.

In: a file with one or more rows per unit, or the assumptions of a plan. Out: an analysis, a plan.
Run standalone: `lake experiment analyse --help`. Formulas and sources: docs/experiments.md.
"""
