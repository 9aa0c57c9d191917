"""Why nothing fits: both sides beside each other, and the probable cause."""
