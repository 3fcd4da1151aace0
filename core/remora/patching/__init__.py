"""Getting hold of calls: the only room that imports wrapt, and only when a library is patched."""
