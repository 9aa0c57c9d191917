"""TF1: models whose graph lies in the `.meta` beside the checkpoint."""
