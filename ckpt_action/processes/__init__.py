"""Child processes: started, supplied with memory, watched, and outlived. No TensorFlow here."""
