"""The local store: telemetry that could not be sent, or that nobody but its developer asked for, in files of frames."""
