"""`remora show`: traces of the local store."""
