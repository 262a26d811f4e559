from spider.memory import MIB, available_memory, in_words


def test_sizes_in_words() -> None:
    assert in_words(3 * MIB) == "3 MiB"
    assert in_words(16384 * MIB) == "16.0 GiB"


def test_memory_can_be_had_or_is_unknown() -> None:
    found = available_memory()
    assert found is None or found > 0
