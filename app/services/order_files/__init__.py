"""Orders from a file: read, checked, mended, confirmed once (ORD-5)."""
