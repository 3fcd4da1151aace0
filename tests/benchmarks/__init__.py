"""Commands that measure Remora beside its peers, in one run, as ratios; `python -m tests.benchmarks` lists them."""
