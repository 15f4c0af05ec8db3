"""Which way does it point: embeddings with a source and a target role for directed graphs."""
