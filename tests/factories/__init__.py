"""Ready-made rows for tests. Each factory adds and commits, and returns the row."""
