"""The restored model as the reference: what it computes, and how far that can be trusted."""
