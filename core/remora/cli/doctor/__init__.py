"""`remora doctor`: why there are spans, or none."""
