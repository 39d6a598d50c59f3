"""The words a file source is written in: which files to take from a store, and what to make of their rows."""
