from spider.encoders.distillation.estimate import Estimate
from spider.encoders.distillation.student_files import describe


def test_the_estimate_in_words() -> None:
    words = describe(Estimate(0.8125, 0.75, 1000, 200))
    assert "1,000 held-out passages" in words
    assert "cosine 0.81" in words
    assert "75% of the teacher's first 20" in words
    assert "is not known" in describe(Estimate(0.0, 0.0, 0, 0))
