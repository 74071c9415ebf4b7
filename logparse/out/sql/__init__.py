"""Events, attempts, jobs and records as tables: for DuckDB, and through it as Parquet."""
