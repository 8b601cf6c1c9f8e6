"""The ECERT portal and back office."""
