"""One file for each kind of artifact: the verb that writes it, and the record of its details."""
