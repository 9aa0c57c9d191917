"""What an optimizer keeps of a model: weights that hang nowhere else, moving averages."""
