"""Drift: what on a server is not as the documents say, why it is so as far as that is known, and the reports of it."""
