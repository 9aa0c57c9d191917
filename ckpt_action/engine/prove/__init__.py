"""The restored model as the reference, and what its outputs can prove about an artifact."""
