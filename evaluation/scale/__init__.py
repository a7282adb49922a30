"""What a knowledge base costs as it grows: `python -m evaluation.scale` fills stores with made policies and measures."""
