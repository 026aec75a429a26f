"""Standing interest: saved searches with alerts, the board of needs, and the open data that anyone may take."""
