"""Imports of rights and cases from a bank's own files.

fields, guess   what can be filled, and which column probably fills it
upload          file → run with staged rows; the mapping
convert         cells → values, every fault at once
running         chunk by chunk, crash-safe
right_rows, case_rows   what becomes of a good row
faults          where, what and why, in the reader's language
export          bad rows and templates to download
"""

from marketplace.cases.imports.running import run_chunk, start
from marketplace.cases.imports.upload import create_run, run_for, set_mapping

__all__ = ["create_run", "run_chunk", "run_for", "set_mapping", "start"]
