"""One plan over several machines, and their exports joined again."""
