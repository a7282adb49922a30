"""A word table made from CC-CEDICT, under CC BY-SA 4.0; see README.md beside this file."""
