"""The file's side: names, shapes and values of what it holds, and its object graph."""
