"""The output folder: filled in one step, compared with what was there, checked again."""
