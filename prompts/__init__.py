"""The product's wording, kept as data."""

from prompts.wording import Wording, load_prompts, load_wording

__all__ = ["Wording", "load_prompts", "load_wording"]
