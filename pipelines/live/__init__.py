"""Live figures: what has happened today, kept in memory and told again as it changes."""
