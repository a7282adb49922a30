"""Reading passages with a question."""
