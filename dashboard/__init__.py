"""The dashboard: pages over stored runs."""
