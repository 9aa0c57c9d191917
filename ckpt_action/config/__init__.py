"""`model-export.toml` in, a frozen `Config` or the list of what is wrong with it out."""
