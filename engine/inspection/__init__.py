"""Look at own data before anything is trained: what is in the file, what each column is, what would stop a run."""
