"""The life of a process: fork, exec, exit, signals, children. Stdlib only, and light to import."""
