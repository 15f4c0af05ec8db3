"""Metrics on NumPy arrays: arrays in, numbers or arrays out; no table, no model, no figure."""
