"""What words mean: the English-Chinese table, the policy glossary, the place names."""

from assistant.lexicon.cedict_table import EnglishTable
from assistant.lexicon.glossary import Glossary, Regions

__all__ = ["EnglishTable", "Glossary", "Regions"]
