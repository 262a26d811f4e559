from typing import Any

import numpy as np
import pytest

from pretrain.spans.term_rarity import TermRarity


def test_rarity_by_hand(make_corpus: Any) -> None:
    rarity = TermRarity(make_corpus([("t", ["Red fox", "red dog", "cat"])]))
    assert rarity("RED") == pytest.approx(np.log1p(1.5 / 2.5))
    assert rarity("unicorn") == pytest.approx(np.log1p(3.5 / 0.5))
