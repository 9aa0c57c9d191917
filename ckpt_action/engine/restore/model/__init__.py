"""The model's side: its variables, tables and the objects that hold them."""
