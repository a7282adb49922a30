"""What a language model writes over the evidence, and what of it is believed."""
