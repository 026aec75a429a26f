"""Pure rules on cases: no Flask, no database, no clock.

documents    types of documents and which a legal path needs
paths        the legal paths in plain words
check        what a case still lacks or has wrong
"""
