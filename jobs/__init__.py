"""Queues, the tick and thin tasks. The database row is the truth; a job carries only ids and re-checks."""
