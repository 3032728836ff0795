"""What a run did, for a change ticket: one JSON document, and one page made from that document and nothing else."""
