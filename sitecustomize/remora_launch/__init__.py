"""The way into a program that knows nothing of us: `remora run`, or environment variables alone."""
