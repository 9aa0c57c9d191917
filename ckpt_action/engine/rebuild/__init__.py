"""Run the user's code and get a model with every variable made and none restored."""
