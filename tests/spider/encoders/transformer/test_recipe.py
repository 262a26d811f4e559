"""A recipe's derived facts."""

from spider.encoders.transformer.recipe import Dense, Normalize, VectorRecipe


def test_unit_length_comes_from_the_last_step_or_the_comparison():
    dense = Dense(inputs=8, outputs=4)
    assert not VectorRecipe().unit
    assert VectorRecipe(similarity="cosine").unit
    assert VectorRecipe(steps=(dense, Normalize())).unit
    assert not VectorRecipe(steps=(Normalize(), dense)).unit


def test_the_dimension_is_that_of_the_last_dense_layer():
    assert VectorRecipe(pooling=("cls", "mean")).dimension(8) == 16
    assert VectorRecipe(steps=(Dense(inputs=8, outputs=4), Normalize())).dimension(8) == 4


def test_the_description_names_every_step():
    steps = (Dense(inputs=8, outputs=4), Normalize())
    recipe = VectorRecipe(pooling=("weighted_mean", "cls"), steps=steps)
    assert recipe.description == "weighted mean+cls, dense 8 to 4, normalise"
