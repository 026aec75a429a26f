"""Search: documents, query language, text analysis and two engines behind one contract. Imports no room.

Search never decides: an answer is a list of ids in an order, and the page reads the rows again (law 9).
"""
