"""What layers of the user's own read out of Keras' files by themselves."""
