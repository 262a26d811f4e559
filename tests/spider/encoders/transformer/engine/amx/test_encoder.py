import torch

from spider.encoders.transformer.engine.amx.encoder import AmxEncoder, pack, padded, round_up, split
from spider.encoders.transformer.engine.weights import Affine


def test_the_next_multiple_of_32():
    assert [round_up(number) for number in (1, 32, 33)] == [32, 32, 64]


def test_two_planes_hold_sixteen_bits_of_each_number():
    numbers = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    rounded, rest = split(numbers, 2).float()
    assert ((rounded - numbers).abs() / numbers.abs()).max() > 1e-3
    assert ((rounded + rest - numbers).abs() / numbers.abs()).max() < 2**-16


def test_a_tile_has_pairs_of_inputs_of_sixteen_outputs():
    weight = torch.arange(32 * 64).view(32, 64).float()
    tiles = pack(weight, 1).view(2, 2, 16, 16, 2).float()
    # the second sixteen outputs, the second 32 inputs, pair 3, output 5
    expected = weight.bfloat16().float()[16 + 5, 32 + 6 : 32 + 8]
    torch.testing.assert_close(tiles[1, 1, 3, 5], expected)


def test_padding_is_zeros():
    found = padded(Affine(torch.ones(3, 5), torch.ones(3)), 32, 64)
    assert found.weight.shape == (32, 64)
    assert (found.weight.sum(), found.bias.sum()) == (15, 3)


def test_buffers_begin_at_cache_lines(random_weights):
    places = AmxEncoder(random_weights(), 2).buffers(40, 20).addresses
    assert (places.rows, places.longest) == (64, 32)
    # a tile that crosses lines costs three times as much
    assert not any(place % 64 for place in places[2:])
