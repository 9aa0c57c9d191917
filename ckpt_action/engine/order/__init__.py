"""Orders that code is given and that nobody promises: of a set, of the files in a folder."""
