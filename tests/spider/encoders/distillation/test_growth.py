import pytest

from spider.encoders.distillation.growth import grow


@pytest.mark.parametrize(
    ("cosines", "tried", "reason"),
    [
        ([0.5], 1, "given"),
        ([0.5, 0.6, 0.7], 3, "largest"),
        ([0.5, 0.505, 0.9], 2, "the last step added +0.005"),
        ([0.5, 0.4, 0.9], 2, "the last step added -0.100"),
    ],
)
def test_it_stops_after_a_small_gain(cosines: list[float], tried: int, reason: str) -> None:
    found = dict(zip([10 * 2**n for n in range(len(cosines))], cosines, strict=True))
    growth = grow(list(found), found.__getitem__, enough=0.01)
    assert growth.sizes == list(found)[:tried]
    assert growth.cosines == cosines[:tried]
    assert reason in growth.reason
    assert all(f"{cosine:.3f}" in growth.describe() for cosine in growth.cosines)
