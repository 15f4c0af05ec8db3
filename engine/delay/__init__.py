"""Labels that arrive late: what was visible on a day, and how to train on it without bias."""
