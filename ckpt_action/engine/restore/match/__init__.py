"""Ways of laying the model over the checkpoint: by objects, names or order."""
