"""How characters spell foreign names."""

from __future__ import annotations

from collections import Counter

from training.corpora import Entry
from training.names import learn, names, readings, sounds

ENTRIES = [
    Entry("罗马", "Luo2 ma3", ("Roma (name)",)),
    Entry("马里", "Ma3 li3", ("Mali",)),
    Entry("罗里", "Luo2 li3", ("Rory (name)",)),
    Entry("里罗马", "Li3 luo2 ma3", ("Riroma (1900-1970), engineer",)),
    Entry("海州", "Hai3 zhou1", ("Haizhou, a city in China",)),
    Entry("汽车", "qi4 che1", ("car",)),
]


def test_names_are_paired_with_the_words_they_may_spell() -> None:
    found = names(ENTRIES, readings(ENTRIES))
    assert ("罗马", "roma") in found
    assert ("里罗马", "riroma") in found
    assert not any(characters in ("海州", "汽车") for characters, _ in found)


def test_letters_are_aligned_with_characters() -> None:
    syllables = readings(ENTRIES)
    model = learn(names(ENTRIES, syllables), syllables)
    assert model.probability("罗", "ro") > model.probability("罗", "ma")
    assert model.probability("马", "ma") > model.probability("马", "ro")


def test_the_table_gives_characters_and_costs() -> None:
    more = [Entry(f"罗{a}", f"Luo2 {b}1", (f"Ro{b} (name)",)) for a, b in (("娜", "na"), ("塔", "ta"), ("达", "da"))]
    table = sounds([*ENTRIES, *more], Counter("罗马里的的的"))
    assert "罗" in table["ro"]
    assert "的" not in "".join(table.values())
