"""What the code read to make a model, from files and from elsewhere: what a reuse depends on."""
