"""The live shop: everything that runs while it is open, supervised in one process tree."""
