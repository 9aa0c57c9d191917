"""Words of lookup tables and layers: who has which, and whether they agree."""
