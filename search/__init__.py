"""Search: documents, query language, engines. Imports nothing from the marketplace."""
