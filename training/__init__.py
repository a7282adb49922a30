"""How the bundled encoder and the English-Chinese word table were made, each in one command."""
