"""Lines that are read in bulk, where they stand together and each is plainly a record."""

Row = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes]
"""An access line: time, database, method, path without query, status, number of queries, seconds in SQL and
elsewhere (empty where it has no numbers)."""
