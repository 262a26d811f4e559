"""Operations of the model, each a folder: a readable reference, a CPU and a GPU kernel, a door."""
