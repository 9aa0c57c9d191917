"""What signatures are run on: seeded probes, golden inputs, sizes that code asks about."""
