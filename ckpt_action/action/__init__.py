"""What `action.yml` calls: its inputs, its environment, and the export with no token in reach."""
