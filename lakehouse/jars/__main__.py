"""`python -m lakehouse.jars`: fetch and check the jars; with `lock`, write the lock."""

import sys

from lakehouse.jars.fetch import main

sys.exit(main(sys.argv[1:]))
