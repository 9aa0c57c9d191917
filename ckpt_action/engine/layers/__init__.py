"""What a file says of its model's layers beside their weights, held against the model."""
