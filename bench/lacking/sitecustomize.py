"""Found by every Python process that the bench starts with this folder on its PYTHONPATH."""

import os

if named := os.environ.get("HANSA_BENCH_WITHOUT"):
    from without import PROTECTIONS

    PROTECTIONS[named]()
