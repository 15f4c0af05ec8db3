"""Figures: pure functions from tidy tables to Plotly or Altair objects."""
