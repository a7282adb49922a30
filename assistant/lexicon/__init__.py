"""What words mean: the words of questions, the English-Chinese table, the policy glossary, the place names."""

from assistant.lexicon.asking import AskingWords
from assistant.lexicon.cedict_table import EnglishTable
from assistant.lexicon.glossary import Glossary, Regions, Siblings

__all__ = ["AskingWords", "EnglishTable", "Glossary", "Regions", "Siblings"]
