"""Finding: documents for the index, keeping it in step with the database, the search page, the managers' synonyms."""
