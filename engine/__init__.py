"""Train, judge and explain small recommenders: directed graphs, delayed feedback, prediction uncertainty."""
