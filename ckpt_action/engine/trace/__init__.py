"""From a restored model to one concrete function per signature, over raw variables."""
