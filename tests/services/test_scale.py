"""What the measuring of scale sees of servers."""

from __future__ import annotations

from evaluation.scale.asking import ask
from evaluation.scale.filling import build, fill
from evaluation.scale.watching import watched_servers
from vectorstore.place import Place


def test_a_store_on_servers_is_measured_with_what_they_take(place: Place) -> None:
    assert set(watched_servers(place)) == {"database", "chroma"}
    filled = fill(place, 60)
    assert filled["room_mib"]["full text"] > filled["room_mib"]["of the full text its index"] > 0
    assert filled["stages"]["whole"]["database_cpu"] > 0
    assert filled["server_peak_mib"]["database"] > 0
    built = build(place)
    assert built["room_mib"] > 0
    assert built["server_peak_mib"]["chroma"] > 0
    asked = ask(place, filled["documents"], 4)
    assert asked["index used"]
    assert asked["server_memory_mib"].keys() == {"database", "chroma"}


def test_servers_of_other_machines_are_not_looked_at(place: Place) -> None:
    elsewhere = Place(place.folder, database="postgresql://192.0.2.1/zhice", chroma="http://192.0.2.1:8000")
    assert watched_servers(elsewhere) == {}
