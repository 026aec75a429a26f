"""Read what banks upload: CSV in any common encoding, XLSX, JSON Lines. No database, no Flask.

table        one header and rows of text, whatever the file was; the limits
content      what the bytes are, whatever the name says
csvs         encodings, delimiters, ragged rows
workbooks    XLSX, guarded against bombs and macros
jsonl        JSON Lines (command line only)
dates        dates in the many ways people write them
"""
