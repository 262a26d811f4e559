from spider.questions.transforms.cloze import Cloze
from spider.questions.transforms.heading import Heading
from spider.questions.transforms.passage_query import DocumentTransform, SpanTransform
from spider.questions.transforms.random_window import RandomWindow


def test_the_protocols_tell_the_kinds_of_transforms_apart() -> None:
    kinds = {SpanTransform, DocumentTransform}
    found = [{kind for kind in kinds if isinstance(one, kind)} for one in (Cloze(), Heading())]
    assert found == [{SpanTransform}, {DocumentTransform}]
    assert not any(isinstance(RandomWindow(), kind) for kind in kinds)
