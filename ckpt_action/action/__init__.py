"""What the actions call: inputs, environments, the export with no token in reach, the release."""
