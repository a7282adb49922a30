"""Evidence -> draft: a cross-encoder reads the passages, and the words that answer are quoted."""
