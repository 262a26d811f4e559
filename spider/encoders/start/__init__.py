"""Where an encoder's start is: a folder, the wheel of the extra ``pretrained``, or the hub."""
