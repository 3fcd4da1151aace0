"""Programs under measurement: each runs in a process and an interpreter of its own and knows nothing of Remora."""
