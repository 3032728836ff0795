"""The tables behind the journal, in SQLite or PostgreSQL: the same promises in both."""
