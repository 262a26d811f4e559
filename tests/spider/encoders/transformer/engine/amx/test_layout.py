from spider.encoders.transformer.engine.amx.layout import Layer, place_in_tiles


def test_places_in_tiles():
    # three tiles side by side; row 17 is the second row of the second sixteen
    assert place_in_tiles(0, 0, 32, 96) == 1024
    assert place_in_tiles(100, 17, 64, 96) == 100 + (3 + 2) * 1024 + 64


def test_a_layer_has_as_many_addresses_as_the_kernel_reads():
    assert len(Layer._fields) == 12
