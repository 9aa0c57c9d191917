"""The only package that imports TensorFlow; it runs in child processes only."""
