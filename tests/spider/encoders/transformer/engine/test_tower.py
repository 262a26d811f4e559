import numpy as np
import pytest
import torch

from spider.encoders.transformer.engine.engine import Engine
from spider.encoders.transformer.engine.tower import EngineTower
from spider.encoders.transformer.head import VectorHead
from spider.encoders.transformer.recipe import Dense, Normalize, VectorRecipe
from spider.kernels.processor import has_tiles
from spider.text.token_batch import token_batch

pytestmark = pytest.mark.skipif(not has_tiles(), reason="the processor has no AMX")


@torch.inference_mode()
@pytest.mark.parametrize("steps", [(), (Normalize(),), (Dense(inputs=96, outputs=8), Normalize())])
def test_vectors_are_those_of_the_head_and_do_not_depend_on_the_batch(steps, models):
    head = VectorHead(VectorRecipe(pooling=("mean", "cls"), steps=steps)).eval()
    tower = EngineTower(Engine(models["bert"], torch.float32, pad_id=0), head, skipped=1)
    random = np.random.default_rng(0)
    ids = [random.integers(2, 100, length) for length in [3, 40, 8] * 30]
    vectors = tower.vectors(token_batch(ids))
    for number in (0, 70):
        padded = torch.from_numpy(ids[number])[None]
        states = models["bert"](input_ids=padded).last_hidden_state
        expected = head(states, torch.ones_like(padded), skipped=1)[0].numpy()
        np.testing.assert_allclose(vectors[number], expected, atol=3e-5)
        alone = tower.vectors(token_batch([ids[number]]))[0]
        assert alone.tobytes() == vectors[number].tobytes()
    assert tower.vectors(token_batch([])).shape == (0, head.recipe.dimension(48))
