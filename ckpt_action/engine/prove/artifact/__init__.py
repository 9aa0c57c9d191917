"""One artifact held against the reference: its signature, its values, its time."""
