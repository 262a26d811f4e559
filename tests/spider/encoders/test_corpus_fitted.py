from spider.encoders.bert import BertSettings
from spider.encoders.corpus_fitted import CorpusFitted
from spider.encoders.static import StaticSettings
from spider.encoders.student import StudentSettings


def test_the_protocol_tells_what_needs_no_pairs() -> None:
    assert isinstance(StudentSettings(), CorpusFitted)
    assert not isinstance(StaticSettings(), CorpusFitted)
    assert not isinstance(BertSettings(), CorpusFitted)
